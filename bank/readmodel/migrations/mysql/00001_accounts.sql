-- +goose Up

-- An account as of its last applied event. The first five columns are those of
-- the system that this one follows; account_type is 0 for SAVINGS, 1 for CURRENT.
-- Times are in UTC. Texts are compared byte by byte, trailing spaces too.
--
-- balance is exact, and decimals is how many of its decimals the currency has:
-- 12.5000 with 2 is 12.50. balance_units says the same as an integer of
-- ten-thousandths, the smallest step that any currency has: places in a list are
-- told by it, in every dialect. The checks keep the two the same, and keep out
-- digits that are not shown.
--
-- The status in an index lets accounts be counted without a look at their rows;
-- the id orders what is equal otherwise. Lists in pages follow one of three
-- orders, each made certain by the id. An index that begins with a column that is
-- asked for exactly (h: holder, s: status, t: type, c: currency) leads to those
-- accounts alone, in that order. Queries name the indexes, and so every line has
-- them under the same names.
--
-- No step can be taken back here: each statement minds nothing that is there.
CREATE TABLE IF NOT EXISTS bank_account (
    id             VARCHAR(64)   NOT NULL PRIMARY KEY,
    account_holder VARCHAR(255)  NOT NULL,
    creation_date  DATETIME(6)   NOT NULL,
    account_type   TINYINT       NOT NULL,
    balance        DECIMAL(19,4) NOT NULL,
    currency       VARCHAR(8)    NOT NULL,
    status         VARCHAR(16)   NOT NULL,
    version        BIGINT        NOT NULL,
    event_id       VARCHAR(255)  NOT NULL,
    position       BIGINT        NOT NULL,
    updated_at     DATETIME(6)   NOT NULL,
    balance_units  BIGINT        NOT NULL,
    decimals       TINYINT       NOT NULL,
    CHECK (balance_units = balance * 10000),
    CHECK (balance = TRUNCATE(balance, decimals)),
    KEY by_holder    (account_holder, id, status),
    KEY by_balance   (balance_units, id, status),
    KEY by_created   (creation_date, id, status),
    KEY by_h_balance (account_holder, balance_units, id),
    KEY by_c_balance (currency, balance_units, id),
    KEY by_h_created (account_holder, creation_date, id),
    KEY by_s_created (status, creation_date, id),
    KEY by_t_created (account_type, creation_date, id),
    KEY by_c_created (currency, creation_date, id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_0900_bin;

-- Every applied event, as a line of the account's statement. The kind says which
-- way the amount went; a closing has none. Amounts are in the account's currency,
-- which has that many decimals.
--
-- since is since when the account is what this event made of it, where that is
-- not the event's own time: an earlier event of the account has a later one. Of
-- the two, the later never falls from one version to the next.
CREATE TABLE IF NOT EXISTS account_entry (
    account_id VARCHAR(64)   NOT NULL,
    version    BIGINT        NOT NULL,
    event_id   VARCHAR(255)  NOT NULL,
    time       DATETIME(6)   NOT NULL,
    kind       VARCHAR(16)   NOT NULL,
    amount     DECIMAL(19,4),
    balance    DECIMAL(19,4) NOT NULL,
    decimals   TINYINT       NOT NULL,
    reference  VARCHAR(255),
    position   BIGINT        NOT NULL,
    since      DATETIME(6),
    CHECK (balance = TRUNCATE(balance, decimals) AND (amount IS NULL OR amount = TRUNCATE(amount, decimals))),
    PRIMARY KEY (account_id, version),
    KEY by_position (position),
    KEY by_closing  (account_id, kind, version)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_0900_bin;
