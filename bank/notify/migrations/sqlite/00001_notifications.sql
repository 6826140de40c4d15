-- +goose Up

-- Times are microseconds since 1970, UTC.

-- One row. Events are notified that happened at start_us or later and lie behind
-- start_position, which is not known before the feed was first reached.
CREATE TABLE notify_state (
    id             INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    start_us       INTEGER NOT NULL,
    start_position INTEGER
) STRICT;

INSERT INTO notify_state (id, start_us) VALUES (1, CAST(unixepoch('subsec') * 1000000 AS INTEGER));

-- An account as of its last event: how to reach its holder, and the balance for
-- the one event that does not carry it. Empty texts: none is known.
CREATE TABLE notify_account (
    account_id TEXT    NOT NULL PRIMARY KEY,
    version    INTEGER NOT NULL,
    event_id   TEXT    NOT NULL,
    holder     TEXT    NOT NULL,
    phone      TEXT    NOT NULL,
    email      TEXT    NOT NULL,
    balance    TEXT    NOT NULL,
    currency   TEXT    NOT NULL
) STRICT, WITHOUT ROWID;

-- Every event that was applied, notified or not.
CREATE TABLE notify_event (
    account_id TEXT    NOT NULL,
    version    INTEGER NOT NULL,
    event_id   TEXT    NOT NULL,
    position   INTEGER NOT NULL,
    PRIMARY KEY (account_id, version)
) STRICT, WITHOUT ROWID;

-- Events that were dealt with before the event store got a new history: there
-- they come again, and nobody is to hear of them again.
CREATE TABLE notify_known_event (
    event_id TEXT NOT NULL PRIMARY KEY
) STRICT, WITHOUT ROWID;

-- seq is the order of recording, and so that of each account's events. message is
-- JSON: what is needed to send, and nothing that changes.
CREATE TABLE notification (
    seq        INTEGER PRIMARY KEY AUTOINCREMENT,
    id         TEXT    NOT NULL UNIQUE,
    event_id   TEXT    NOT NULL,
    position   INTEGER NOT NULL,
    account_id TEXT    NOT NULL,
    kind       TEXT    NOT NULL,
    channel    TEXT    NOT NULL,
    address    TEXT    NOT NULL,
    message    TEXT    NOT NULL,
    state      TEXT    NOT NULL CHECK (state IN ('pending', 'sent', 'failed')),
    attempts   INTEGER NOT NULL,
    error      TEXT    NOT NULL,
    created_us INTEGER NOT NULL,
    updated_us INTEGER NOT NULL,
    UNIQUE (event_id, channel)
) STRICT;

CREATE INDEX notification_by_account       ON notification (account_id, seq);
CREATE INDEX notification_by_account_state ON notification (account_id, state, seq);
CREATE INDEX notification_by_state         ON notification (state, seq);
CREATE INDEX notification_pending          ON notification (channel, account_id, seq) WHERE state = 'pending';

-- An account with pending notifications on a channel. Only the first of them is
-- ever tried, from due_us on; while somebody tries it, due_us is when others may,
-- and claim is who. So a channel that hangs costs one row for each account,
-- however many notifications wait behind.
CREATE TABLE notify_lane (
    channel    TEXT    NOT NULL,
    account_id TEXT    NOT NULL,
    due_us     INTEGER NOT NULL,
    claim      TEXT    NOT NULL,
    PRIMARY KEY (channel, account_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX notify_lane_by_due ON notify_lane (channel, due_us);
