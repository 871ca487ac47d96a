-- A partition of schema version 2, as the release that had it wrote it: an event of each kind of end, one of them numbered in its
-- lane, one that is lent out and waits, one that has failed once, identities of all, a block of signed contents, a target's state,
-- a lane elsewhere, refused requests. Never edited.
CREATE TABLE dead_1 (
  seq INTEGER PRIMARY KEY, status TEXT NOT NULL, deliveries TEXT NOT NULL, event TEXT NOT NULL, body BLOB
);
INSERT INTO dead_1 (seq, status, deliveries, event, body) VALUES (1809639016448000, 'dead', '[{"id":"dlv_dead_ci","rule":"default/all","target":"ci","timeoutMs":15000,"maxAgeMs":3600000,"state":{"kind":"dead","at":1767225602000,"reason":"status","detail":"404"},"expiresAt":1767229202000,"attemptCount":1,"failures":0,"lostLeases":0,"attempts":[{"token":"request-3#0/0","startedAt":0,"durationMs":10,"outcome":"permanent","reason":"status","detail":"404","rules":"v1"}]},{"id":"dlv_dead_audit","rule":"default/all","target":"audit","timeoutMs":15000,"maxAgeMs":3600000,"state":{"kind":"delivered","at":1767225602001},"expiresAt":1767229202000,"attemptCount":1,"failures":0,"lostLeases":0,"attempts":[{"token":"request-3#0/1","startedAt":0,"durationMs":10,"outcome":"delivered","rules":"v1"}]}]', '{"attributes":{"specversion":"1.0","id":"dead","source":"/s","type":"com.example.test","datacontenttype":"application/json"},"source":"events","bus":"default","rawHeaders":{},"rules":["default/all"],"rulesVersion":{"hash":"v1","deployedAt":1},"key":"/s"}', X'7b22636f6e74656e74223a2264656164227d');

CREATE TABLE dedup_1 (
  identity BLOB PRIMARY KEY, seq INTEGER NOT NULL, fingerprint TEXT NOT NULL, token TEXT NOT NULL
) WITHOUT ROWID;
INSERT INTO dedup_1 (identity, seq, fingerprint, token) VALUES (X'2348f998744212575d85959674f9607ab26f67708a917157472832386337c904', 1809639017473024, '1:open ', 'request-4#0');
INSERT INTO dedup_1 (identity, seq, fingerprint, token) VALUES (X'28a3a5e81d1e89f0efc70b63bf717b921373fc7fac70bc1b7e4d466799c0c6b0', 1809639016448000, '1:dead hook-1', 'request-3#0');
INSERT INTO dedup_1 (identity, seq, fingerprint, token) VALUES (X'373e0712c83cffe15ff427b60e788b549f82496fe5fd5391f7921832b04c6b20', 1809639014400000, '1:delivered ', 'request-1#0');
INSERT INTO dedup_1 (identity, seq, fingerprint, token) VALUES (X'744748b3e247c6059dea04da8ba6902a55dffc826badca12ae9b8f43ebfc1ec1', 1809639018497024, '1:failed-once ', 'request-5#0');
INSERT INTO dedup_1 (identity, seq, fingerprint, token) VALUES (X'915c0f60e80855f6455a521d4d3df9e7a5f9c78452335b3deb332dbff239b594', 1809639015424000, '1:unmatched ', 'request-2#0');

CREATE TABLE lanes (id TEXT PRIMARY KEY, passed INTEGER NOT NULL, at INTEGER NOT NULL) WITHOUT ROWID;
INSERT INTO lanes (id, passed, at) VALUES ('numbered', 7, 1767225600000);

CREATE TABLE lanes_elsewhere (id TEXT, partition TEXT, PRIMARY KEY (id, partition)) WITHOUT ROWID;
INSERT INTO lanes_elsewhere (id, partition) VALUES ('elsewhere', 'v1/default/2/0');

CREATE TABLE log_1 (
  seq INTEGER PRIMARY KEY, status TEXT NOT NULL, deliveries TEXT NOT NULL, event TEXT NOT NULL, body BLOB
);
INSERT INTO log_1 (seq, status, deliveries, event, body) VALUES (1809639014400000, 'delivered', '[{"id":"dlv_delivered_ci","rule":"default/all","target":"ci","timeoutMs":15000,"maxAgeMs":3600000,"lane":{"id":"numbered","sequence":7,"gapWaitMs":0},"state":{"kind":"delivered","at":1767225600000},"expiresAt":1767229200000,"attemptCount":1,"failures":0,"lostLeases":0,"attempts":[{"token":"request-1#0/0","startedAt":0,"durationMs":10,"outcome":"delivered","rules":"v1"}],"note":"went on without numbers 1 to 6, which did not come in time"}]', '{"attributes":{"specversion":"1.0","id":"delivered","source":"/s","type":"com.example.test","datacontenttype":"application/json"},"source":"events","bus":"default","rawHeaders":{},"rules":["default/all"],"rulesVersion":{"hash":"v1","deployedAt":1},"key":"/s"}', X'7b22636f6e74656e74223a2264656c697665726564227d');
INSERT INTO log_1 (seq, status, deliveries, event, body) VALUES (1809639015424000, 'unmatched', '[]', '{"attributes":{"specversion":"1.0","id":"unmatched","source":"/s","type":"com.example.test","datacontenttype":"application/json"},"source":"events","bus":"default","rawHeaders":{},"rules":[],"rulesVersion":{"hash":"v1","deployedAt":1},"key":"/s"}', X'7b22636f6e74656e74223a22756e6d617463686564227d');

CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
INSERT INTO meta (name, value) VALUES ('name', 'v1/default/1/0');
INSERT INTO meta (name, value) VALUES ('schema', '2');
INSERT INTO meta (name, value) VALUES ('verified:github:GITHUB_WEBHOOK_SECRET', '1767225605001');

CREATE TABLE rejections (
  slot INTEGER PRIMARY KEY,
  n INTEGER NOT NULL,
  at INTEGER NOT NULL,
  source TEXT NOT NULL,
  reason TEXT NOT NULL,
  count INTEGER NOT NULL,
  detail TEXT NOT NULL
);
INSERT INTO rejections (slot, n, at, source, reason, count, detail) VALUES (1, 1, 1767225605001, 'github', 'wrong-signature', 3, 'the signature in X-Hub-Signature-256 is wrong');

CREATE TABLE replays (last_seq INTEGER PRIMARY KEY, entries BLOB NOT NULL);
INSERT INTO replays (last_seq, entries) VALUES (1809639014400000, X'419d6f34540000004319b76daa800000');

CREATE TABLE segments (
  kind TEXT NOT NULL,
  n INTEGER NOT NULL,
  opened_at INTEGER NOT NULL,
  first_seq INTEGER NOT NULL,
  bytes_before INTEGER NOT NULL,
  log_dropped INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (kind, n)
) WITHOUT ROWID;
INSERT INTO segments (kind, n, opened_at, first_seq, bytes_before, log_dropped) VALUES ('dedup', 1, 1767225600000, 1809639014400000, 36864, 0);
INSERT INTO segments (kind, n, opened_at, first_seq, bytes_before, log_dropped) VALUES ('log', 1, 1767225600000, 1809639014400000, 40960, 0);

CREATE TABLE targets (
  name TEXT PRIMARY KEY,
  version INTEGER NOT NULL,
  kind TEXT NOT NULL,
  reason TEXT NOT NULL,
  until INTEGER NOT NULL
) WITHOUT ROWID;
INSERT INTO targets (name, version, kind, reason, until) VALUES ('other', 3, 'free', '', 0);

CREATE TABLE work (
  seq INTEGER PRIMARY KEY,
  due INTEGER NOT NULL,
  deliveries TEXT NOT NULL,
  event TEXT NOT NULL,
  body BLOB
);
INSERT INTO work (seq, due, deliveries, event, body) VALUES (1809639017473024, 1767225603001, '[{"id":"dlv_open_ci","rule":"default/all","target":"ci","timeoutMs":15000,"maxAgeMs":3600000,"state":{"kind":"leased","token":"request-4#0/0","deadlineAt":1767225623001},"expiresAt":1767229203001,"attemptCount":0,"failures":0,"lostLeases":0,"attempts":[]},{"id":"dlv_open_audit","rule":"default/all","target":"audit","timeoutMs":15000,"maxAgeMs":3600000,"state":{"kind":"waiting","dueAt":1767225603001},"expiresAt":1767229203001,"attemptCount":0,"failures":0,"lostLeases":0,"attempts":[]}]', '{"attributes":{"specversion":"1.0","id":"open","source":"/s","type":"com.example.test","datacontenttype":"application/json"},"source":"events","bus":"default","rawHeaders":{},"rules":["default/all"],"rulesVersion":{"hash":"v1","deployedAt":1},"key":"/s"}', X'7b22636f6e74656e74223a226f70656e227d');
INSERT INTO work (seq, due, deliveries, event, body) VALUES (1809639018497024, 1767225664001, '[{"id":"dlv_failed-once_ci","rule":"default/all","target":"ci","timeoutMs":15000,"maxAgeMs":3600000,"state":{"kind":"waiting","dueAt":1767225664001},"expiresAt":1767229204001,"attemptCount":1,"failures":1,"lostLeases":0,"attempts":[{"token":"request-5#0/0","startedAt":0,"durationMs":10,"outcome":"retryable","reason":"status","detail":"503","rules":"v1"}]}]', '{"attributes":{"specversion":"1.0","id":"failed-once","source":"/s","type":"com.example.test","datacontenttype":"application/json"},"source":"events","bus":"default","rawHeaders":{},"rules":["default/all"],"rulesVersion":{"hash":"v1","deployedAt":1},"key":"/s"}', X'7b22636f6e74656e74223a226661696c65642d6f6e6365227d');
