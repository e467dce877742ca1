CREATE TABLE items (item INT PRIMARY KEY, free INT NOT NULL CHECK (free >= 0)) ENGINE = InnoDB;
CREATE TABLE buyers (buyer BINARY(16) PRIMARY KEY, units INT NOT NULL) ENGINE = InnoDB;
CREATE TABLE orders (
  number BIGINT PRIMARY KEY, buyer BINARY(16) NOT NULL, buyer_key BIGINT NOT NULL,
  item INT NOT NULL, quantity INT NOT NULL, expires_at BIGINT NOT NULL,
  UNIQUE (buyer, buyer_key)
) ENGINE = InnoDB;

-- One transaction in one round trip. The hot row comes last, so that it is locked for as short as can be:
-- until the commit is durable.
CREATE PROCEDURE place_order(
  p_number BIGINT, p_buyer BINARY(16), p_key BIGINT, p_item INT, p_quantity INT, p_per_buyer_max INT,
  p_expires_at BIGINT
)
place: BEGIN
  DECLARE v_taken INT;
  DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;
  START TRANSACTION;
  INSERT IGNORE INTO orders VALUES (p_number, p_buyer, p_key, p_item, p_quantity, p_expires_at);
  IF ROW_COUNT() = 0 THEN
    SELECT 'known', number, item, quantity, expires_at FROM orders WHERE buyer = p_buyer AND buyer_key = p_key;
    COMMIT;
    LEAVE place;
  END IF;
  INSERT INTO buyers VALUES (p_buyer, p_quantity) ON DUPLICATE KEY UPDATE units = units + p_quantity;
  SELECT units INTO v_taken FROM buyers WHERE buyer = p_buyer;
  IF v_taken > p_per_buyer_max THEN
    ROLLBACK;
    SELECT 'over_limit', NULL, NULL, v_taken - p_quantity, NULL;
    LEAVE place;
  END IF;
  UPDATE items SET free = free - p_quantity WHERE item = p_item AND free >= p_quantity;
  IF ROW_COUNT() = 0 THEN
    ROLLBACK;
    SELECT 'exhausted', NULL, NULL, free, NULL FROM items WHERE item = p_item;
    LEAVE place;
  END IF;
  COMMIT;
  SELECT 'held', NULL, NULL, NULL, NULL;
END
