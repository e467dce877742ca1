-- Places one order: the whole decision in one step, for Redis runs one script at a time.
-- KEYS: units free by item, units by buyer, orders by buyer and key, the new order
-- ARGV: item, quantity, buyer, buyer and key, number of the order, units that a buyer may have, end of the hold
local known = redis.call('HGET', KEYS[3], ARGV[4])
if known then
  local order = redis.call('HMGET', 'order:' .. known, 'item', 'quantity', 'expires_at')
  return {'known', known, order[1], order[2], order[3]}
end
local quantity = tonumber(ARGV[2])
local taken = tonumber(redis.call('HGET', KEYS[2], ARGV[3]) or '0')
if taken + quantity > tonumber(ARGV[6]) then
  return {'over_limit', taken}
end
local left = tonumber(redis.call('HGET', KEYS[1], ARGV[1]) or '0')
if left < quantity then
  return {'exhausted', left}
end
redis.call('HINCRBY', KEYS[1], ARGV[1], -quantity)
redis.call('HINCRBY', KEYS[2], ARGV[3], quantity)
redis.call('HSET', KEYS[3], ARGV[4], ARGV[5])
redis.call('HSET', KEYS[4], 'buyer', ARGV[3], 'item', ARGV[1], 'quantity', ARGV[2], 'expires_at', ARGV[7])
return {'held'}
