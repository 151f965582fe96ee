//! Logs recorded from the laboratory cluster.

use super::check;

#[test]
fn recorded_logs() {
    check(&[
        (
            "2026/11/21 10:16:48 connecting to prod-db:3333\n2026/11/21 10:16:48 FATAL could not open database connection: dial tcp 10.96.189.230:3333: connect: connection refused\n",
            "refused prod-db:3333 (10.96.189.230)",
        ),
        (
            "2026/11/21 10:35:17 connecting to 10.20.30.40:5432\n2026/11/21 10:35:20 FATAL could not open database connection: dial tcp 10.20.30.40:5432: connect: no route to host\n",
            "unreachable 10.20.30.40:5432",
        ),
        (
            "waiting for mongodb-geo:27017\nnc: bad address 'mongodb-geo'\nwaiting for mongodb-geo:27017\n",
            "unknown-host mongodb-geo NoSuchName",
        ),
        (
            "2026/11/21 10:33:46 [emerg] 1#1: unknown directive \"proxy_passs\" in /etc/nginx/conf.d/site.conf:9\nnginx: [emerg] unknown directive \"proxy_passs\" in /etc/nginx/conf.d/site.conf:9\n",
            "bad-setting unknown directive \"proxy_passs\" (/etc/nginx/conf.d/site.conf:9)",
        ),
        (REDIS, "auth-failed ? user ? Redis @ connection.py:629 in read_response"),
        (MONGO, "unknown-host catalog-mongo-0.catalog-mongo NoSuchName @ topology.js:303 in Topology.selectServer"),
        (
            "maxprocs: Leaving GOMAXPROCS=2: CPU quota undefined\n/etc/coredns/Corefile:13 - Error during parsing: Unknown directive 'forwardd'\n",
            "bad-setting Unknown directive 'forwardd' (/etc/coredns/Corefile:13)",
        ),
    ]);
}

const REDIS: &str = "Traceback (most recent call last):
  File \"/usr/local/bin/rq\", line 8, in <module>
    sys.exit(main())
             ^^^^^^
  File \"/usr/local/lib/python3.11/site-packages/rq/cli/cli.py\", line 262, in worker
    worker.work(burst=burst)
  File \"/usr/local/lib/python3.11/site-packages/redis/connection.py\", line 629, in read_response
    raise response
redis.exceptions.AuthenticationError: invalid username-password pair or user is disabled.
";

const MONGO: &str = "2026-11-21T10:34:02.901Z [catalog] boot 5.0.1
2026-11-21T10:34:02.913Z [catalog] MongoServerSelectionError: getaddrinfo ENOTFOUND catalog-mongo-0.catalog-mongo
    at Topology.selectServer (/srv/node_modules/mongodb/lib/sdam/topology.js:303:38)
    at process.processTicksAndRejections (node:internal/process/task_queues:95:5) {
  reason: TopologyDescription {
    type: 'ReplicaSetNoPrimary',
  },
  [cause]: Error: getaddrinfo ENOTFOUND catalog-mongo-0.catalog-mongo
      at GetAddrInfoReqWrap.onlookupall [as oncomplete] (node:dns:122:26) {
    errno: -3008,
    hostname: 'catalog-mongo-0.catalog-mongo'
  }
}
";
