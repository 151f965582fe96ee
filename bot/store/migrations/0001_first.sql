-- Times are milliseconds since 1970 (UTC). Words of people and of platforms stand as JSON, which holds any character in
-- every database; nothing here is compared or sorted by what stands in such a column.

-- What arrived. A row is there before the platform is told that it arrived. When it has ended, what was asked and the way
-- back are gone, and the id stays: a repetition is known by it.
CREATE TABLE deliveries (
    id TEXT NOT NULL PRIMARY KEY,
    state TEXT NOT NULL CHECK (state IN ('received', 'answering', 'answered', 'failed')),
    request TEXT,
    address TEXT,
    received_at BIGINT NOT NULL,
    ended_at BIGINT,
    CHECK ((state IN ('received', 'answering')) = (ended_at IS NULL)),
    CHECK ((request IS NULL) = (ended_at IS NOT NULL)),
    CHECK ((address IS NULL) = (ended_at IS NOT NULL))
);
CREATE INDEX deliveries_unfinished ON deliveries (received_at, id) WHERE ended_at IS NULL;
CREATE INDEX deliveries_by_age ON deliveries (received_at);

-- What a thread is about. The thread is '' for the channel itself.
CREATE TABLE threads (
    channel TEXT NOT NULL,
    thread TEXT NOT NULL,
    about TEXT NOT NULL,
    changed_at BIGINT NOT NULL,
    PRIMARY KEY (channel, thread)
);
CREATE INDEX threads_by_age ON threads (changed_at);

-- What a button means.
CREATE TABLE presses (
    token TEXT NOT NULL PRIMARY KEY,
    press TEXT NOT NULL,
    kept_at BIGINT NOT NULL
);
-- Longer ones do not fit into an index of every database; each of those has a token of its own.
CREATE UNIQUE INDEX presses_by_meaning ON presses (press) WHERE octet_length(press) <= 2000;
CREATE INDEX presses_by_age ON presses (kept_at);

-- Who waits to be told.
CREATE TABLE waits (
    id TEXT NOT NULL PRIMARY KEY,
    channel TEXT NOT NULL,
    thread TEXT NOT NULL,
    person_id TEXT NOT NULL,
    person TEXT NOT NULL,
    subject TEXT NOT NULL,
    since BIGINT NOT NULL,
    until BIGINT NOT NULL,
    UNIQUE (channel, thread, person_id, subject)
);

-- Short facts.
CREATE TABLE facts (
    key TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
);
