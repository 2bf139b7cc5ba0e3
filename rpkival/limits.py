"""Every bound on what the outside may cost us, each with its reason. Passing one raises `LimitError`."""

from typing import Final

# --- AS numbers and prefixes -------------------------------------------------------------------------------------

MAX_ASN: Final = 2**32 - 1
"""RFC 6793: AS numbers have 32 bits."""

# --- files and tables --------------------------------------------------------------------------------------------

MAX_VRP_FILE_BYTES: Final = 2 * 1024**3
"""Decompressed size of a VRP file. The world of 2025 is 75 MB of rpkiclient JSON; ten times that still fits twice."""

MAX_VRPS: Final = 16_000_000
"""VRPs in one set. The world has 0.8 million; beyond twenty times that a source is broken or hostile."""

MAX_VRP_FILE_ANCHORS: Final = 1000
"""Names of trust anchors in one VRP file. Five exist; the rest is room for tests and private ones."""

MAX_VRP_FILE_RECORDS: Final = 500_000
"""ASPAs, and router keys, in one VRP file: one for each of the 120,000 ASes of the world, four times."""

MAX_ROUTER_KEY_BYTES: Final = 1024
"""One router's public key in DER. RFC 8608 knows P-256 only, 91 octets; this leaves room for what comes after it."""

MAX_LOCAL_SOURCE_LENGTH: Final = 512
"""Characters of the path and comment by which the payload remembers a local exception; longer ones are cut."""

MAX_SELECTORS: Final = 100
"""AS numbers and prefixes by which a payload is selected at once. Each is held against every VRP, some ten ms."""

MAX_RENDERED_BYTES: Final = 256 * 1024**2
"""Answers kept for whoever asks next, as gzip. All formats of the world are some 150 MB; most networks use one."""

MAX_NEWS_WAITERS: Final = 2_000
"""Clients that wait for the next serial at a time; each costs a connection and some kilobytes."""

NEWS_WAIT_SECONDS: Final = 300.0
"""After which a client that waits for news is told that there is none: proxies cut what is silent for long."""

MAX_SLURM_FILES: Final = 100
"""SLURM files at once; one for each customer or purpose of a large network."""

MAX_SLURM_FILE_BYTES: Final = 64 * 1024**2
"""One SLURM file. A whole world of VRPs as assertions is 77 MB, which is no exception any more."""

MAX_SLURM_ENTRIES: Final = 200_000
"""Filters and assertions of one SLURM file. A generated list of all unallocated space has some thousands."""

MAX_UNIX_TIME: Final = 253_402_300_799
"""The last second of the year 9999, as far as RFC 3339 and X.509 can write."""

MAX_VRP_MEMOS: Final = 4
"""Parsed VRP files that are remembered, some 20 MB each: today's, yesterday's, and two to compare."""

MAX_VRP_DOWNLOAD_BYTES: Final = 512 * 1024**2
"""A VRP file as it is sent, compressed or not: six times the world's rpki-client JSON, which is the longest of them."""

VRP_DOWNLOAD_SECONDS: Final = 120.0
"""For a whole VRP file over HTTP: 75 MB at the 5 Mbit/s of a poor line."""

VRP_RTR_SECONDS: Final = 60.0
"""For a whole set over RTR: 17 MB, which a cache at hand sends in one second and one far away in twenty."""

MAX_HTTP_REDIRECTS: Final = 5
"""One to https, one to another host, and some patience; a loop ends here."""

STALE_VRPS_SECONDS: Final = 24 * 3600
"""Age from which VRPs are old. Manifests and CRLs commonly live a day, so a validator that has not finished for one
works with repositories whose own word has run out."""

MAX_CHECKED_ROUTES: Final = 1_000_000
"""Announcements in one `rpkival check --input`: a full table. `rpkival classify` is for more."""

# --- repositories ------------------------------------------------------------------------------------------------

MAX_URI_LENGTH: Final = 2048
"""Characters of a URI; rpki-client has the same. Longer ones are attacks on file systems, not addresses."""

MAX_FILE_NAME_LENGTH: Final = 255
"""Bytes of one path segment: what file systems hold (NAME_MAX)."""

MAX_OBJECT_BYTES: Final = 20_000_000
"""One signed object. Routinator and FORT have the same, rpki-client 8 MB; the largest manifests are below 4 MB."""

MAX_BER_DEPTH: Final = 32
"""Elements in one another in an object that is BER and no DER; signed objects nest some twenty deep."""

MAX_BER_ELEMENTS: Final = 1_000_000
"""Elements of an object that is BER and no DER: some three seconds of work. A manifest of 100,000 files has 300,000."""

RSYNC_CONNECT_SECONDS: Final = 10
"""Until a repository's daemon answers, as Routinator has it."""

RSYNC_STALL_SECONDS: Final = 60
"""Without a byte from the daemon."""

RSYNC_TOTAL_SECONDS: Final = 300
"""For one module, whatever it sends: a byte a minute must not hold a run up (CVE-2021-3909, CVE-2024-48943)."""

RSYNC_OUTPUT_BYTES: Final = 4096
"""Kept of what the rsync program says; a daemon decides how much that is, so only its end is remembered."""

MAX_RSYNC_MODULE_BYTES: Final = 2 * 1024**3
"""All files of one module, as `MAX_REPOSITORY_BYTES`. RIPE's has about 530 MB; four times that fits."""

MAX_RSYNC_MODULE_FILES: Final = 1_500_000
"""Files and directories of one module: `MAX_REPOSITORY_OBJECTS` and room for directories. All objects of the world are
600,000; the disk has an end to its inodes too."""

LEAST_REFRESH_SECONDS: Final = 60
"""From the end of one run to the start of the next, where strangers' servers are asked. RFC 8182 section 3.4.4: relying
parties "MUST NOT poll for updates more often than once every 1 minute"."""

# --- the store of what was fetched -------------------------------------------------------------------------------

MAX_STORE_BYTES: Final = 8 * 1024**3
"""The store's file. All objects of the world are 1.3 GB; their last good versions, most of them the same, and what
awaits collection fit beside them several times. SQLite itself keeps to it, and a full store is read on."""

MAX_REPOSITORY_BYTES: Final = 2 * 1024**3
"""All objects of one repository in the store. RIPE's has about 530 MB; four times that fits, and no single one fills
the store."""

MAX_REPOSITORY_OBJECTS: Final = 1_000_000
"""Objects of one repository in the store. The world has 600,000 in all."""

MAX_MEMO_BYTES: Final = 512 * 1024**2
"""Of what was judged before that a run reads at once; the world's takes 60 MB. Beyond, it is read one by one."""

MAX_TREE_BYTES: Final = 256 * 1024**2
"""Of a tree that is kept for the next run; the world's takes 40 MB. Beyond, its points are remembered one by one."""

MAX_TREE_AGE_SECONDS: Final = 12 * 3600
"""How long trees of earlier runs are taken as they are where nothing has changed. That a version is still in use is
noted once a day, while its place is looked at."""

MAX_STORED_REPOSITORIES: Final = 5_000
"""Repositories in the store. About 100 exist, by RRDP and by rsync; hostile CAs make any number, and what nobody refers
to any more is kept for days."""

MAX_REPOSITORIES: Final = 1000
"""Fetched in one run, beside those that have succeeded before. About 60 exist; an endless chain of CAs, each elsewhere,
ends here (CVE-2021-43172)."""

REPOSITORY_KEEP_SECONDS: Final = 10 * 24 * 3600.0
"""For which a repository, or a good version of a publication point, that no certificate leads to stays in the store:
longer than manifests commonly live, so that a parent that was broken for a week costs its children nothing."""

STORE_BUSY_SECONDS: Final = 120.0
"""For another process's transaction to end: the snapshot of the largest repository takes some twenty seconds."""

FETCH_THREADS: Final = 16
"""Repositories fetched at a time, so that some that are slow to death leave room for all others."""

FETCHES_PER_HOST: Final = 2
"""At a time, of one host: more would only take turns on its line, and many names of one host must not take all
threads."""

FETCH_RUN_SECONDS: Final = 2400.0
"""From the first fetch of a run to the start of its last, after which what the store has is used: with that one and
with the judging it is still well below `VALIDATION_SECONDS`, at which a run would be lost as a whole. All the world's
repositories take some minutes."""

FETCH_RETRY_SECONDS: Final = 60.0
"""Until a repository that failed once may be asked again; doubled with each failure, less a random part of up to
half."""

MAX_FETCH_RETRY_SECONDS: Final = 3600.0
"""The longest such pause: one that is back is noticed within the hour."""

FALLBACK_SECONDS: Final = 3600.0
"""Age of the last RRDP success at which rsync is tried at the latest; the moment is random below it, so that not all
relying parties of the world come at once when an RRDP server fails. Routinator has the same."""

# --- RRDP and https --------------------------------------------------------------------------------------------

HTTP_CONNECT_SECONDS: Final = 15.0
"""For the name, the connection and TLS: several times what the far side of the world takes."""

HTTP_ANSWER_SECONDS: Final = 30.0
"""From the request to the end of the header, and without a byte of the body; Routinator has 10, FORT 30."""

HTTP_FILE_SECONDS: Final = 600.0
"""For one file, whatever is sent (CVE-2021-43173). RIPE's snapshot of 530 MB comes at 7 Mbit/s in it."""

HTTP_RATE_SECONDS: Final = 20.0
"""The window in which the speed of a body is measured; small files end before it does."""

HTTP_MIN_RATE: Final = 10_000.0
"""Octets a second below which a server is held for one that drips (CVE-2021-3909); prover cuts at 100 kB/s."""

MAX_HTTP_RATIO: Final = 100
"""Decoded octets for each octet of gzip. RRDP's files shrink to a half, notifications to a tenth; bombs reach 1,000."""

HTTP_RATIO_FREE_BYTES: Final = 1024**2
"""Decoded octets before `MAX_HTTP_RATIO` counts: a small file may be as regular as it likes."""

MAX_HTTP_VALIDATOR_LENGTH: Final = 256
"""Characters of an ETag or a Last-Modified that are kept to be sent back; longer ones are forgotten."""

RRDP_SECONDS: Final = 900.0
"""For all files of one repository in one run. With `FETCH_RUN_SECONDS` before it and some minutes to judge after it,
that is below `VALIDATION_SECONDS`."""

MAX_RRDP_NOTIFICATION_BYTES: Final = 4 * 1024**2
"""A notification file: 20,000 deltas. RIPE's has some hundred."""

MAX_RRDP_SNAPSHOT_BYTES: Final = 2 * 1024**3
"""One snapshot, decoded and on the wire; RIPE's has 530 MB. rpki-client and FORT have the same bound."""

MAX_RRDP_DELTAS: Final = 100
"""Deltas followed in one go, as rpki-client has it; beyond that, a snapshot is the shorter way."""

MAX_RRDP_DELTAS_BYTES: Final = 256 * 1024**2
"""All deltas of one update together: beyond that, too, a snapshot is the shorter way."""

MAX_RRDP_LISTED_DELTAS: Final = 20_000
"""Deltas in a notification; more do not fit `MAX_RRDP_NOTIFICATION_BYTES` with real URIs."""

MAX_RRDP_REMEMBERED_DELTAS: Final = 500
"""Hashes of the latest deltas that are kept to be held against the next notification (RFC 9697)."""

MAX_RRDP_SERIAL: Final = 2**64 - 1
"""RFC 8182 has serials without bound; one a second would reach this after five hundred billion years."""

MAX_RRDP_TOKEN_BYTES: Final = 256 * 1024
"""One tag or comment of an RRDP file: a URI, a hash and room. The parser keeps it in memory until its end."""

MAX_RRDP_NAMESPACES: Final = 16
"""Namespace declarations of one file, where one is needed; the parser keeps all of them."""

# --- RTR ---------------------------------------------------------------------------------------------------------

MAX_RTR_PDU_BYTES: Final = 65_535
"""One PDU. draft-ietf-sidrops-8210bis section 5.1 sets it for version 2; in older ones nothing honest is near it."""

MAX_RTR_ROUTER_PDU_BYTES: Final = 4_096
"""One PDU from a router: its queries have 8 and 12 octets, and an Error Report repeats one of our prefixes."""

MAX_RTR_ASPA_PROVIDERS: Final = (MAX_RTR_PDU_BYTES - 12) // 4
"""Providers that fit into one ASPA PDU, 16,380; draft-ietf-sidrops-8210bis-26 lets no PDU be longer."""

MAX_RTR_RECORD_BYTES: Final = 32 * 1024**2
"""PDUs of router keys and ASPAs that we take from a cache: one for each AS of the world with ten providers is 6 MB."""

MAX_RTR_ENCAPSULATED_BYTES: Final = 128
"""Of a PDU that we complain of, the part that the Error Report repeats: any query and any prefix whole."""

MAX_RTR_DELTAS: Final = 128
"""Serials that a router may lag behind and still get a delta: more than a day of validations every ten minutes
is rarely asked for, and beyond that a reset costs a router no more than a long delta."""

MAX_RTR_DELTA_BYTES: Final = 32 * 1024**2
"""PDUs of all kept deltas together: twice the whole table of 2025 (17 MB), where a reset is the cheaper answer."""

MAX_RTR_MERGED_ROWS: Final = 1_000_000
"""Changes read to merge deltas for routers that lag behind, between two updates: a quarter of a second in all, however
many serials are asked for, and more changes than the world has VRPs. Beyond, routers are told to reset."""

MAX_RTR_SESSIONS: Final = 4_096
"""Routers at a time. The busiest caches that operators have told of serve 900."""

MAX_RTR_SESSIONS_PER_ADDRESS: Final = 1_024
"""Routers behind one address, as a jump host or a translator shows them; one address never fills the cache."""

MAX_RTR_HANDSHAKE_SECONDS: Final = 15.0
"""For a TLS handshake: three round trips, and a router's slow processor."""

MAX_RTR_SSH_EXIT_SECONDS: Final = 2.0
"""For an ssh that was told to end, before it is killed; it has nothing to save."""

RTR_UPSTREAM_RETRY_SECONDS: Final = 10.0
"""Before a cache that we follow and lost is asked again: one connection, which costs neither side anything."""

MAX_RTR_UPSTREAMS: Final = 16
"""Caches that are followed at a time, each with a payload of 50 MB; a quorum of three is usual."""

RTR_ACCEPT_PAUSE_SECONDS: Final = 1.0
"""Before the next attempt where the system has no file descriptor left for a router; the kernel keeps it waiting."""

MAX_RTR_FIRST_QUERY_SECONDS: Final = 60.0
"""From the connection to the first query: RFC 8210 section 8.1 has routers send one at once."""

MAX_RTR_HOLD_SECONDS: Final = 300.0
"""A router that came before the first data waits so long for its answer. The first validation of the world takes less;
told at once that there are none, routers would stay away for their retry time, twice as long by default."""

MAX_RTR_ANSWER_SECONDS: Final = 900.0
"""From a query to the last octet of its answer taken: 17 MB at 20 kB/s. Later a router is dead, or ill-willed, and
keeps an old snapshot in memory."""

MAX_RTR_LOAD_ROUTERS: Final = 20_000
"""Routers that one load test plays: from one address there are 28,000 ephemeral ports to one cache."""

# --- page and API ------------------------------------------------------------------------------------------------

MAX_REQUEST_BYTES: Final = 100_000
"""Body of a request: what Routinator takes for `POST /validity`, 1,700 routes. An ISP check sends 13 kB at most."""

MAX_CHECK_SAMPLES: Final = 128
"""Samples in one ISP check: four beacon sets with four URLs, eight rounds. The page takes 3 to 12 of each set."""

MAX_QUERY_LENGTH: Final = 100
"""Characters of a lookup. The longest IPv6 prefix and an AS number take 60."""

MAX_LISTED_VRPS: Final = 500
"""VRPs shown in one answer; the total is always told. The AS with the most has over ten thousand."""

MAX_LISTED_INCIDENTS: Final = 200
"""Incidents in one answer; more is asked for by `limit` and `state`."""

MAX_LISTED_REPOSITORIES: Final = 200
"""Of a run, on a page and in an answer; the world has about 60."""

MAX_LISTED_ROUTERS: Final = 500
"""Routers on the page, and addresses in the metrics: those that lag most; the API has all."""

MAX_STATUS_ANSWER_BYTES: Final = 8 * 1024**2
"""Of `/api/v1/status`, which tells 300 octets of each of 4,096 routers."""

STATUS_ANSWER_SECONDS: Final = 30.0
"""For that answer, from a process that may be validating."""

MAX_LISTED_REJECTIONS: Final = 200
"""Rejected objects in one answer or page; a whole registry that expired would be 40,000."""

MAX_BEACON_SETS: Final = 16
"""Beacon sets in one file: both families of a handful of operators. Each costs every visitor's browser requests."""

MAX_BEACON_URLS: Final = 4
"""URLs of one role in one beacon set, for the same reason."""

# --- history of the payload --------------------------------------------------------------------------------------

MAX_HISTORY_ROWS_PER_CHANGE: Final = 200_000
"""Changes kept of one serial: a fifth of the world. The very first payload is none, and a registry that goes as a whole
is told by the first of them as well as by all."""

MAX_HISTORY_ROWS: Final = 5_000_000
"""Changes kept in all, some 1.5 GB. The world changes by some ten thousand VRPs a day, so it is a year and more."""

MAX_LISTED_CHANGES: Final = 1_000
"""Changes in one answer; more is asked for by `before`."""

# --- incidents and alerts ----------------------------------------------------------------------------------------

MAX_OBSERVED_PATHS: Final = 20
"""Distinct AS paths kept with an incident. A person reads a handful; more only make rows and alerts heavy."""

MAX_OBSERVED_PEERS: Final = 200
"""Peers named with an incident; `observed.peer_count` counts them all. RIS and RouteViews have some 1,500 together."""

MAX_COVERING_VRPS: Final = 50
"""VRPs kept as evidence with an incident. The most that cover one prefix in 2025 are some dozens."""

MAX_SIGHTINGS: Final = 10_000
"""Routes (collector, peer, path id) followed for one incident: six times all public peers of 2025."""

MAX_UNSETTLED_INCIDENTS: Final = 100_000
"""Incidents open or gathering evidence at once. The largest leak known touched 180,000 prefixes of everybody; an own
network with half of that is beyond any."""

MAX_REMEMBERED_PREFIXES: Final = 100_000
"""Own prefixes of one family that stay watched after their last VRP is gone. The AS with the most has ten thousand;
whoever signs ROAs that name our AS, and drops them again, ends here."""

MAX_SET_ORIGINS: Final = 64
"""Members of an AS_SET at the end of a path that are judged as its origin. Sets had a dozen when they were in use; to
hide behind so many, all of them would have to be expected or valid origins."""

MAX_WEBHOOK_BODY: Final = 20_000
"""Bytes of a webhook body: Standard Webhooks asks for less than 20 kB."""

MAX_WEBHOOK_RESPONSE: Final = 4096
"""Bytes read of a receiver's answer: it is only shown to people."""

MAX_SECRET_BYTES: Final = 64
"""Bytes of a webhook secret; Standard Webhooks: 24 to 64."""

MIN_SECRET_BYTES: Final = 24
"""See `MAX_SECRET_BYTES`."""

WEBHOOK_TIMEOUT: Final = 15.0
"""Seconds for one delivery, from the name lookup to the answer; Standard Webhooks: 15 to 30."""

MAX_RETRY_AFTER: Final = 3600.0
"""Seconds a receiver may ask us to wait. Longer would let it lose alerts by one careless header."""

EVENT_RETENTION: Final = 30 * 86400.0
"""Seconds that delivered and abandoned events stay for `rpkival alerts redeliver`."""

# --- BGP sessions and the lab ------------------------------------------------------------------------------------

MAX_BGP_MESSAGE_BYTES: Final = 4096
"""RFC 4271 section 4. Longer messages (RFC 8654) need a capability that we do not announce."""

BGP_HOLD_SECONDS: Final = 90
"""RFC 4271 section 10 suggests 90 seconds; the smaller of both sides' counts."""

BGP_OPEN_SECONDS: Final = 60.0
"""How long a connected router may take for each step to an established session. RFC 4271 section 8.2.2 suggests four
minutes for slow links; ours is loopback."""

BGP_SEND_HOLD_SECONDS: Final = 480.0
"""RFC 9687: a router that reads nothing for 8 minutes is disconnected, though its own keepalives still arrive."""

MAX_LAB_ROUTERS: Final = 100
"""Routers connected to the lab's BGP speaker at a time; beyond that somebody tests something else."""

MAX_COLLECTOR_CLIENTS: Final = 200
"""Websocket clients of the lab's collector at a time."""

MAX_COLLECTOR_REQUEST_BYTES: Final = 64 * 1024
"""One request of a websocket client. RIS Live's longest sensible one is a list of some thousand prefixes."""

MAX_COLLECTOR_SUBSCRIPTIONS: Final = 100
"""Subscriptions of one client; each message is held against each of them."""

MAX_COLLECTOR_BACKLOG: Final = 10_000
"""Messages that wait for one slow client. As at RIS Live, passing it is told to the client and ends its connection."""

MAX_SILENT_REQUESTS: Final = 200
"""Requests that a beacon holds without an answer at a time; more are hung up on at once."""

SILENT_SECONDS: Final = 60.0
"""How long an unreachable beacon holds a request before it hangs up; browsers are asked to give up far sooner."""

# --- signed objects ----------------------------------------------------------------------------------------------

MAX_TAL_BYTES: Final = 100_000
"""A trust anchor locator has 500 octets, and some lines of comment."""

MAX_CONSTRAINTS_BYTES: Final = 5_000_000
"""One file of constraints on a trust anchor; `MAX_CONSTRAINTS` lines."""

MAX_CONSTRAINTS: Final = 100_000
"""Lines of it. All space that one registry has, written as prefixes, has some thousand."""

MAX_CERTIFICATE_BYTES: Final = 5_000_000
"""One certificate: room for 200,000 address blocks of usual length, each of which takes some 100 octets decoded."""

MAX_ROA_BYTES: Final = 2_000_000
"""One ROA: room for `MAX_ROA_PREFIXES`. Real ones have 2 kB, and decoded a ROA takes a hundred times its size."""

MAX_POINT_BYTES: Final = 512 * 1024**2
"""All files of one publication point, which are in memory at once: 250,000 of average size."""

MAX_LOCATIONS_BYTES: Final = 16_384
"""One extension that holds URIs. Real ones have 200 octets; the decoded ones of issuers are kept for their siblings."""

MAX_NAME_BYTES: Final = 1024
"""The name of an issuer or subject: twice what two attributes of 64 characters (RFC 5280 appendix A.1) can take, in
UTF-8. Those of issuers are kept for their siblings, as locations are.
"""

MAX_RESOURCE_BLOCKS: Final = 200_000
"""Address blocks or AS ranges of one family in one certificate; rpki-client has the same bound."""

MAX_MANIFEST_FILES: Final = 100_000
"""Files on one manifest; rpki-client has the same bound."""

MAX_MANIFEST_BYTES: Final = 8_000_000
"""One manifest: `MAX_MANIFEST_FILES` of some 70 octets. Entries of 7 octets would be millions, and are decoded before
they can be counted."""

MAX_REVOKED_CERTIFICATES: Final = 300_000
"""Entries of one CRL, of which each takes some 400 octets decoded."""

MAX_CRL_BYTES: Final = 12_000_000
"""One CRL: `MAX_REVOKED_CERTIFICATES` with the longest serial numbers, 39 octets each."""

MAX_ROA_PREFIXES: Final = 100_000
"""Prefixes in one ROA. RFC 9455 asks for one, and the average is two."""

MAX_ASPA_PROVIDERS: Final = 16_380
"""Providers of one customer: what an RTR PDU of 65,535 octets can tell (draft-ietf-sidrops-8210bis section 5.1)."""

MAX_OPENBGPD_ASPA_PROVIDERS: Final = 9_999
"""Providers of one customer that OpenBGPD 8.8 takes in its configuration; for one more it refuses all of it."""

MAX_ASPA_BYTES: Final = 200_000
"""One ASPA: room for `MAX_ASPA_PROVIDERS` of six octets each."""

MAX_OUTLINE_ELEMENTS: Final = 10_000
"""Elements shown of something that cannot be decoded: nobody reads more."""

MAX_OUTLINE_LINES: Final = 100
"""Elements of broken content that `rpkival inspect` prints; after these one knows where to look."""

MAX_GHOSTBUSTERS_BYTES: Final = 100_000
"""One Ghostbusters record: a certificate and some lines of address."""

MAX_TAK_BYTES: Final = 100_000
"""One trust anchor key object: three locators and a certificate."""

MAX_TAL_URIS: Final = 20
"""URIs, or comments, of one trust anchor key; the five registries have two URIs each."""

ACCEPTANCE_SECONDS: Final = 30 * 86_400
"""How long a trust anchor's next key has to be found good before it may be followed: 30 days (RFC 9691 section 4)."""

MAX_CHECKLIST_BYTES: Final = 20_000_000
"""One signed checklist, as `MAX_OBJECT_BYTES`."""

MAX_CHECKLIST_ENTRIES: Final = 100_000
"""Files of one checklist, as rpki-client has it."""

MAX_PREFIX_LIST_BYTES: Final = 2_000_000
"""One signed prefix list: room for `MAX_PREFIX_LIST_PREFIXES`."""

MAX_PREFIX_LIST_PREFIXES: Final = 100_000
"""Prefixes of one family in one list; the AS with the most announces some twelve thousand."""

MAX_CCR_BYTES: Final = 200_000_000
"""One canonical cache representation. The world's takes some 20 MB, most of them manifests."""

MAX_NUMBER_OCTETS: Final = 20
"""Octets of serial, CRL and manifest numbers (RFC 5280 sections 4.1.2.2 and 5.2.3, RFC 9286 section 4.2.1)."""

# --- the tree under a trust anchor -------------------------------------------------------------------------------

MAX_CA_DEPTH: Final = 32
"""Certificates from the trust anchor down, as Routinator and FORT bound it; without, a chain can go on for ever."""

MAX_PUBLICATION_POINTS: Final = 500_000
"""Publication points under one trust anchor. All five registries together have 50,000; hostile CAs make any number."""

MAX_SUBTREE_POINTS: Final = 50_000
"""CAs below one member of a registry: as many as all registries have together. One that makes more loses those, and
leaves the others' place among `MAX_PUBLICATION_POINTS` to them."""

MAX_POINT_VRPS: Final = 200_000
"""VRPs of one publication point: a fifth of the world's, which come from 50,000. Beyond, that point alone is lost,
before it can fill the tree that others are in too."""

MAX_ROUTER_ASNS: Final = 1_000
"""ASes of one router certificate, each of which is one key for routers. Real ones have one; a range may have
billions."""

MAX_TREE_VRPS: Final = 8_000_000
"""VRPs under one trust anchor: half of what one set may hold; the world has 0.9 million."""

MAX_TRUST_ANCHORS: Final = 64
"""Trust anchor locators in one run; there are five, and perhaps a dozen for AS 0 and for tests."""

WORKER_MEMORY_BYTES: Final = 4 * 1024**3
"""Address space of a process that judges: `MAX_POINT_BYTES` and, decoded, its largest objects; a bomb ends here."""

WORKER_CPU_SECONDS: Final = 1200
"""Processor time of one such process over its life. The world takes a minute; an endless loop ends here."""

MAX_REJECTIONS_PER_POINT: Final = 1_000
"""Records of one publication point in the report. The rest is counted: a report must not be a weapon."""

MAX_REJECTIONS: Final = 50_000
"""Records of one run, some 25 MB: a whole registry that expired would be 40,000. The rest is counted by anchor."""

MAX_TREE_REJECTIONS: Final = 4 * MAX_REJECTIONS
"""Records of one tree before the report takes the first of them. CAs that share a directory of bad objects have each of
them recorded for each CA: gigabytes for a few thousand small certificates."""

MAX_TREE_LOST_RANGES: Final = 200_000
"""Address ranges of CAs in one tree of which nothing can be used, as many as one certificate may have. They are kept
for each CA, and any number of small certificates can inherit those of a large one; beyond, VRPs are not found unsafe.
"""

MAX_FETCH_PROBLEMS: Final = 1_000
"""Records of repositories that could not be fetched in one run, as many as are fetched; hostile URIs make any."""

MAX_RENAMED_MANIFESTS: Final = 100
"""CAs of one tree told of that publish their manifest under another name. It happens once in a CA's life, if at all."""

# --- feeds -------------------------------------------------------------------------------------------------------

MRT_BLOCK_BYTES: Final = 8 * 1024**2
"""Decompressed bytes of an MRT file decoded at once: some 100,000 routes, whose columns take about ten times it."""

MAX_MRT_RECORD_BYTES: Final = 16 * 1024**2
"""One MRT record. A BGP message has at most 65,535 bytes and a RIB record of the widest collector some 100 kB."""

# --- the process of `rpkival up` ---------------------------------------------------------------------------------

VALIDATION_SECONDS: Final = 3600.0
"""One run of validation with its fetches. The world takes a minute or two; what takes an hour is stuck."""

WORKER_EXIT_SECONDS: Final = 5.0
"""For a worker that was told to end to end its rsync and itself, before it is killed."""

# --- RIS Live ----------------------------------------------------------------------------------------------------

MAX_RIS_MESSAGE_BYTES: Final = 4 * 1024**2
"""One message of RIS Live. The longest BGP UPDATE has 65,535 octets; as JSON with its raw form that is below 1 MB."""

MAX_RIS_PENDING_MESSAGES: Final = 100_000
"""Messages that wait to be judged, some 60 MB: what all collectors together send in ten seconds of a bad day."""

MAX_RIS_BATCH_MESSAGES: Final = 2_000
"""Messages decoded at once. It takes some 20 ms, for which everything else in the process waits."""

RIS_SILENCE_SECONDS: Final = 180.0
"""All collectors together are never silent for a second; after three minutes without a message the feed is dead."""

MAX_RIS_PREFIXES: Final = 10_000
"""Prefixes in a subscription. Other clients hold to the same, since more slow the server down for everybody."""

MAX_RIS_ASNS: Final = 10
"""ASes in a subscription. Each is a pattern that the server tries on every path."""
