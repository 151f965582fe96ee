CREATE TABLE _sqlx_migrations (
    version BIGINT PRIMARY KEY,
    description TEXT NOT NULL,
    installed_on TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
    success BOOLEAN NOT NULL,
    checksum BLOB NOT NULL,
    execution_time BIGINT NOT NULL
);
INSERT INTO _sqlx_migrations VALUES(1,'deliveries, threads, presses, waits, facts','2026-11-21 18:33:15',1,X'614a74f6bc735bcabfe835660f879cddc2b2c7037b7a00b190c4826054e92a045e824bb5bf20cac47c842d5b40ed8b73',3996931);
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
INSERT INTO deliveries VALUES('slack:Ev1','answering','{"who":{"id":"slack:T01:U01","name":"Ada \u202e\u0000 <!channel>","identity":{"standing":"member","groups":["slack:S01"]}},"place":{"channel":"slack:C01","thread":"17.2"},"input":{"line":"why pod cart -n shop"}}','{"token":"canary-of-an-address"}',1795144560000,NULL);
INSERT INTO deliveries VALUES('slack:Ev2','answered',NULL,NULL,1795144560000,1795144560000);
CREATE TABLE threads (
    channel TEXT NOT NULL,
    thread TEXT NOT NULL,
    about TEXT NOT NULL,
    changed_at BIGINT NOT NULL,
    PRIMARY KEY (channel, thread)
);
INSERT INTO threads VALUES('slack:C01','1','pod shop/cart',1795144560000);
CREATE TABLE presses (
    token TEXT NOT NULL PRIMARY KEY,
    press TEXT NOT NULL,
    kept_at BIGINT NOT NULL
);
INSERT INTO presses VALUES('a82fa7da6f5b3173795dfea89a93742e','{"command":"why pod cart -n shop"}',1795144560000);
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
INSERT INTO waits VALUES('fb78552497899f8541a622834b568dbb','slack:C01','17.2','slack:T01:U01','{"id":"slack:T01:U01","name":"Ada \u202e\u0000 <!channel>","identity":{"standing":"member","groups":["slack:S01"]}}','pod shop/cart',1795144560000,1795230960000);
CREATE TABLE facts (
    key TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
);
INSERT INTO facts VALUES('fact','value');
CREATE INDEX deliveries_unfinished ON deliveries (received_at, id) WHERE ended_at IS NULL;
CREATE INDEX deliveries_by_age ON deliveries (received_at);
CREATE INDEX threads_by_age ON threads (changed_at);
CREATE UNIQUE INDEX presses_by_meaning ON presses (press) WHERE octet_length(press) <= 2000;
CREATE INDEX presses_by_age ON presses (kept_at);
