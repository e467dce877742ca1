-- A full page would send every new version of the hot row to another page, and touch its index as well.
CREATE TABLE items (item int PRIMARY KEY, free int NOT NULL CHECK (free >= 0)) WITH (fillfactor = 10);
CREATE TABLE buyers (buyer bytea PRIMARY KEY, units int NOT NULL);
CREATE TABLE orders (
  number bigint PRIMARY KEY, buyer bytea NOT NULL, key bigint NOT NULL,
  item int NOT NULL, quantity int NOT NULL, expires_at bigint NOT NULL,
  UNIQUE (buyer, key)
);

-- One transaction in one round trip. The hot row comes last, so that it is locked for as short as can be:
-- until the commit is durable.
CREATE FUNCTION place_order(
  p_number bigint, p_buyer bytea, p_key bigint, p_item int, p_quantity int, p_per_buyer_max int, p_expires_at bigint,
  OUT o_word text, OUT o_number bigint, OUT o_item int, OUT o_quantity int, OUT o_expires_at bigint
) LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO orders VALUES (p_number, p_buyer, p_key, p_item, p_quantity, p_expires_at)
    ON CONFLICT (buyer, key) DO NOTHING;
  IF NOT FOUND THEN
    o_word := 'known';
    SELECT number, item, quantity, expires_at INTO o_number, o_item, o_quantity, o_expires_at
      FROM orders WHERE buyer = p_buyer AND key = p_key;
    RETURN;
  END IF;
  INSERT INTO buyers VALUES (p_buyer, p_quantity)
    ON CONFLICT (buyer) DO UPDATE SET units = buyers.units + p_quantity
    WHERE buyers.units + p_quantity <= p_per_buyer_max;
  IF NOT FOUND THEN
    DELETE FROM orders WHERE number = p_number;
    o_word := 'over_limit';
    SELECT units INTO o_quantity FROM buyers WHERE buyer = p_buyer;
    RETURN;
  END IF;
  UPDATE items SET free = free - p_quantity WHERE item = p_item AND free >= p_quantity;
  IF NOT FOUND THEN
    DELETE FROM orders WHERE number = p_number;
    UPDATE buyers SET units = units - p_quantity WHERE buyer = p_buyer;
    o_word := 'exhausted';
    SELECT free INTO o_quantity FROM items WHERE item = p_item;
    RETURN;
  END IF;
  o_word := 'held';
END $$;
