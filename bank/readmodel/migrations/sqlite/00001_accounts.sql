-- +goose Up

-- An account as of its last applied event. The first five columns are those of
-- the system that this one follows; account_type is 0 for SAVINGS, 1 for CURRENT.
--
-- Times are texts in UTC of one width, 2026-11-22T06:23:01.949000Z: people read
-- them, SQLite's date functions understand them, and they sort as they follow.
--
-- balance is a decimal text with exactly the currency's decimals: 12.50 in EUR,
-- 12 in JPY. SQLite has no exact decimals to compare, so balance_units says the
-- same as an integer of ten-thousandths, the smallest step that any currency has:
-- one scale for balances of all currencies. The check keeps the two the same.
CREATE TABLE bank_account (
    id             TEXT    NOT NULL PRIMARY KEY,
    account_holder TEXT    NOT NULL,
    creation_date  TEXT    NOT NULL,
    account_type   INTEGER NOT NULL,
    balance        TEXT    NOT NULL,
    currency       TEXT    NOT NULL,
    status         TEXT    NOT NULL,
    version        INTEGER NOT NULL,
    event_id       TEXT    NOT NULL,
    position       INTEGER NOT NULL,
    updated_at     TEXT    NOT NULL,
    balance_units  INTEGER NOT NULL CHECK (balance_units =
        CAST(replace(balance, '.', '') AS INTEGER) *
        CASE instr(balance, '.') WHEN 0 THEN 10000 ELSE
            CASE length(balance) - instr(balance, '.') WHEN 1 THEN 1000 WHEN 2 THEN 100 WHEN 3 THEN 10 WHEN 4 THEN 1 ELSE 0 END
        END
    )
) STRICT, WITHOUT ROWID;

-- The status in each index lets accounts be counted without a look at their rows;
-- the id orders what is equal otherwise.
CREATE INDEX bank_account_by_holder  ON bank_account (account_holder, id, status);
CREATE INDEX bank_account_by_balance ON bank_account (balance_units, currency, id, status);
CREATE INDEX bank_account_by_created ON bank_account (creation_date, id, status);

-- Every applied event, as a line of the account's statement. The kind says which
-- way the amount went; a closing has none. Amounts are in the account's currency.
CREATE TABLE account_entry (
    account_id TEXT    NOT NULL,
    version    INTEGER NOT NULL,
    event_id   TEXT    NOT NULL,
    time       TEXT    NOT NULL,
    kind       TEXT    NOT NULL,
    amount     TEXT,
    balance    TEXT    NOT NULL,
    reference  TEXT,
    position   INTEGER NOT NULL,
    PRIMARY KEY (account_id, version)
) STRICT, WITHOUT ROWID;
