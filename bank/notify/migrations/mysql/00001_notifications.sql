-- +goose Up

-- Times are microseconds since 1970, UTC. Names and ids are compared byte by byte.
-- No step can be taken back here: each statement minds nothing that is there.

-- One row. Events are notified that happened at start_us or later and lie behind
-- start_position, which is not known before the feed was first reached.
CREATE TABLE IF NOT EXISTS notify_state (
    id             TINYINT NOT NULL PRIMARY KEY CHECK (id = 1),
    start_us       BIGINT  NOT NULL,
    start_position BIGINT
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_0900_bin;

INSERT INTO notify_state (id, start_us) VALUES (1, CAST(UNIX_TIMESTAMP(SYSDATE(6)) * 1000000 AS SIGNED))
ON DUPLICATE KEY UPDATE id = notify_state.id;

-- An account as of its last event: how to reach its holder, and the balance for
-- the one event that does not carry it. Empty texts: none is known.
CREATE TABLE IF NOT EXISTS notify_account (
    account_id VARCHAR(255) NOT NULL PRIMARY KEY,
    version    BIGINT       NOT NULL,
    event_id   VARCHAR(255) NOT NULL,
    holder     MEDIUMTEXT   NOT NULL,
    phone      MEDIUMTEXT   NOT NULL,
    email      MEDIUMTEXT   NOT NULL,
    balance    VARCHAR(32)  NOT NULL,
    currency   VARCHAR(8)   NOT NULL
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_0900_bin;

-- Every event that was applied, notified or not.
CREATE TABLE IF NOT EXISTS notify_event (
    account_id VARCHAR(255) NOT NULL,
    version    BIGINT       NOT NULL,
    event_id   VARCHAR(255) NOT NULL,
    position   BIGINT       NOT NULL,
    PRIMARY KEY (account_id, version)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_0900_bin;

-- Events that were dealt with before the event store got a new history: there
-- they come again, and nobody is to hear of them again.
CREATE TABLE IF NOT EXISTS notify_known_event (
    event_id VARCHAR(255) NOT NULL PRIMARY KEY
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_0900_bin;

-- seq is the order of recording of each account's events. message is JSON: what
-- is needed to send, and nothing that changes.
CREATE TABLE IF NOT EXISTS notification (
    seq        BIGINT       NOT NULL AUTO_INCREMENT PRIMARY KEY,
    id         VARCHAR(255) NOT NULL UNIQUE,
    event_id   VARCHAR(255) NOT NULL,
    position   BIGINT       NOT NULL,
    account_id VARCHAR(255) NOT NULL,
    kind       VARCHAR(16)  NOT NULL,
    channel    VARCHAR(64)  NOT NULL,
    address    MEDIUMTEXT   NOT NULL,
    message    MEDIUMTEXT   NOT NULL,
    state      VARCHAR(16)  NOT NULL CHECK (state IN ('pending', 'sent', 'failed')),
    attempts   BIGINT       NOT NULL,
    error      TEXT         NOT NULL,
    created_us BIGINT       NOT NULL,
    updated_us BIGINT       NOT NULL,
    UNIQUE KEY by_event       (event_id, channel),
    KEY by_account            (account_id, seq),
    KEY by_account_state      (account_id, state, seq),
    KEY by_state              (state, seq),
    KEY by_state_of_a_channel (state, channel, account_id, seq)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_0900_bin;

-- An account with pending notifications on a channel. Only the first of them is
-- ever tried, from due_us on; while somebody tries it, due_us is when others may,
-- and claim is who. So a channel that hangs costs one row for each account,
-- however many notifications wait behind.
CREATE TABLE IF NOT EXISTS notify_lane (
    channel    VARCHAR(64)  NOT NULL,
    account_id VARCHAR(255) NOT NULL,
    due_us     BIGINT       NOT NULL,
    claim      VARCHAR(512) NOT NULL,
    PRIMARY KEY (channel, account_id),
    KEY by_due (channel, due_us)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_0900_bin;
