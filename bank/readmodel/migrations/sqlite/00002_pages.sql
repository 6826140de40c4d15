-- +goose Up

-- Lists in pages follow one of three orders, each made certain by the id. An
-- index that begins with a column that is asked for exactly (h: holder, s:
-- status, t: type, c: currency) leads to those accounts alone, in that order.
-- Indexes with a balance are written with every movement: there are no more of
-- them than there are common questions.
DROP INDEX bank_account_by_balance;
CREATE INDEX bank_account_by_balance   ON bank_account (balance_units, id, status);
CREATE INDEX bank_account_by_h_balance ON bank_account (account_holder, balance_units, id);
CREATE INDEX bank_account_by_c_balance ON bank_account (currency, balance_units, id);
CREATE INDEX bank_account_by_h_created ON bank_account (account_holder, creation_date, id);
CREATE INDEX bank_account_by_s_created ON bank_account (status, creation_date, id);
CREATE INDEX bank_account_by_t_created ON bank_account (account_type, creation_date, id);
CREATE INDEX bank_account_by_c_created ON bank_account (currency, creation_date, id);

-- Since when the account is what this event made of it, where that is not the
-- event's own time: an earlier event of the account has a later one. Of the two,
-- the later never falls from one version to the next.
ALTER TABLE account_entry ADD COLUMN since TEXT;

-- Up to which event of the store everything is here, and when an account was
-- closed.
CREATE INDEX account_entry_by_position ON account_entry (position);
CREATE INDEX account_entry_by_closing  ON account_entry (account_id, version) WHERE kind = 'CLOSED';
