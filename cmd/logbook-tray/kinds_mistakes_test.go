package main

import (
	"strings"
	"testing"

	"github.com/logbook-tray/logbook-tray/core/config"
)

// mistakes are configurations with one mistake, which stands between « and »: of the
// kind it belongs to, as it is named in the documentation.
func mistakes() map[string][]string {
	return map[string][]string{
		"Source `zeromq`": {
			`listen: [{type: zeromq, uri: «"tcp://0.0.0.0:5556"», mode: pull}]`,
			`listen: [{type: zeromq, uri: «"udp://127.0.0.1:5556"», mode: pull}]`,
			`listen: [{type: zeromq, uri: «"127.0.0.1:5556"», mode: pull}]`,
			`subscribe: [{type: zeromq, uris: «["tcp://127.0.0.1"]»}]`,
			`subscribe: [«{type: zeromq}»]`,
			`subscribe: [{type: zeromq, uri: "tcp://h:1", mode: «pul»}]`,
			`subscribe: [{type: zeromq, uri: "tcp://h:1", mode: pull_connect, topics: «[a]»}]`,
			`subscribe: [{type: zeromq, uri: "tcp://h:1", hwm: «-1»}]`,
			`subscribe: [{type: zeromq, uri: "tcp://h:1", curve_server_key: «abc»}]`,
			`subscribe: [{type: zeromq, uri: "tcp://h:1", curve_secret_key: «{env: SHORT}»}]`,
			`listen: [{type: zeromq, uri: "tcp://127.0.0.1:1", mode: pull, curve_client_keys: «[abc]»}]`,
			`listen: [{type: zeromq, uri: "tcp://127.0.0.1:1", mode: pull, curve_secret_key: {env: CURVE}, curve_client_keys: «[abc]»}]`,
			`listen: [{type: zeromq, uri: "tcp://127.0.0.1:1", mode: pull, curve_secret_key: {env: CURVE}, curve_client_keys: «[]»}]`,
			`listen: [{type: zeromq, uri: "tcp://127.0.0.1:1", mode: pull, curve_secret_key: {env: CURVE}, curve_client_keys_file: «/no/such/file»}]`,
			`subscribe: [{type: zeromq, uri: "tcp://h:1", curve_secret_key: {env: CURVE}, curve_server_key: "0000000000000000000000000000000000000000", curve_client_keys: «["0000000000000000000000000000000000000000"]»}]`,
		},
		"Source `socket`": {
			`listen: [{type: socket, address: «":9020"»}]`,
			`listen: [«{type: socket}»]`,
			`listen: [{type: socket, address: «"0.0.0.0:9020"», token: {env: SHORT}}]`,
			`listen: [{type: socket, address: «"9020"»}]`,
			`listen: [{type: socket, address: «"192.168.0.1:9020"», tls_cert: "{HOME}/.config/logbook-tray/cert.pem", tls_key: "{HOME}/.config/logbook-tray/key.pem"}]`,
			`listen: [{type: socket, network: unix, address: «"127.0.0.1:9020"»}]`,
			`listen: [{type: socket, network: «udp», address: "127.0.0.1:9020"}]`,
			`listen: [{type: socket, address: "127.0.0.1:9020", tls_cert: «/no/such/file», tls_key: /no/such/key}]`,
			`listen: [{type: socket, address: "127.0.0.1:9020", max_connections: «-1»}]`,
		},
		"Source `datagram`": {
			`listen: [{type: datagram, address: «"0.0.0.0:9021"»}]`,
			`listen: [{type: datagram, network: «tcp», address: "127.0.0.1:9021"}]`,
		},
		"Source `http`": {
			`listen: [{type: http, address: «"[::]:9022"», token: {env: SHORT}}]`,
			`listen: [{type: http, address: "127.0.0.1:9022", max_records: «-1»}]`,
			`listen: [«{type: http}»]`,
		},
		"Source `syslog`": {
			`listen: [{type: syslog, address: «"0.0.0.0:514"»}]`,
			`listen: [{type: syslog, network: «tcpp», address: "127.0.0.1:514"}]`,
			`listen: [{type: syslog, address: "127.0.0.1:514", time_zone: «Mars/Olympus»}]`,
			`listen: [{type: syslog, address: "127.0.0.1:514", tls_cert: «"{HOME}/.config/logbook-tray/cert.pem"», tls_key: "{HOME}/.config/logbook-tray/key.pem"}]`,
		},
		"Source `amqp`": {
			`subscribe: [{type: amqp, uri: «{env: SHORT}»}]`,
			`subscribe: [«{type: amqp}»]`,
			`subscribe: [{type: amqp, uri: {env: AMQP_URI}, prefetch: «-1»}]`,
			`subscribe: [{type: amqp, uri: {env: AMQP_URI}, tap_length: «-1»}]`,
			`subscribe: [{type: amqp, uri: "amqps://h", tls_cert: «/no/such/file», tls_key: /no/such/key}]`,
			`subscribe: [{type: amqp, uri: "amqps://h", tls_cert: "{HOME}/.config/logbook-tray/cert.pem", tls_key: «/no/such/file»}]`,
			`subscribe: [{type: amqp, uri: "amqps://h", tls_cert: «"{HOME}/.config/logbook-tray/cert.pem"»}]`,
			`subscribe: [{type: amqp, uri: "amqps://h", tls_key: «"{HOME}/.config/logbook-tray/key.pem"»}]`,
			`subscribe: [{type: amqp, uri: "amqps://h", tls_cert: «"{HOME}/.config/logbook-tray/key.pem"», tls_key: "{HOME}/.config/logbook-tray/key.pem"}]`,
			`subscribe: [{type: amqp, uri: {env: AMQP_URI}, tls_ca: «"{HOME}/.config/logbook-tray/ca.pem"»}]`,
		},
		"Source `redis`": {
			`subscribe: [{type: redis, uri: «{env: SHORT}»}]`,
			`subscribe: [{type: redis, uri: {env: REDIS_URI}, mode: «lst»}]`,
			`subscribe: [{type: redis, uri: {env: REDIS_URI}, max_length: «-1»}]`,
			`subscribe: [{type: redis, uri: {env: REDIS_URI}, mode: stream, claim_after: «1ms»}]`,
			`subscribe: [{type: redis, uri: {env: REDIS_URI}, mode: list, claim_after: «1m»}]`,
			`subscribe: [{type: redis, uri: {env: REDIS_URI}, tls_cert: «"{HOME}/.config/logbook-tray/cert.pem"», tls_key: "{HOME}/.config/logbook-tray/key.pem"}]`,
		},
		"Source `mongodb`": {
			`subscribe: [{type: mongodb, uri: «{env: SHORT}»}]`,
			`subscribe: [«{type: mongodb}»]`,
			`subscribe: [{type: mongodb, uri: «"mongodb://tray:hush@local host/logging"»}]`,
			`subscribe: [{type: mongodb, uri: {env: MONGODB_URI}, queue: «logbook-tray.tap.x»}]`,
			`subscribe: [{type: mongodb, uri: {env: MONGODB_URI}, max_length: «-1»}]`,
			`subscribe: [{type: mongodb, uri: {env: MONGODB_URI}, poll_interval: «1ms»}]`,
			`subscribe: [{type: mongodb, uri: {env: MONGODB_URI}, tls_ca: «/no/such/file»}]`,
		},
		"Source `nats`": {
			`subscribe: [{type: nats, uri: «{env: SHORT}»}]`,
			`subscribe: [«{type: nats}»]`,
			`subscribe: [{type: nats, uri: «"nats://tray:hush@local host:x"»}]`,
			`subscribe: [{type: nats, uri: {env: NATS_URI}, subject: «"a b"»}]`,
			`subscribe: [{type: nats, uri: {env: NATS_URI}, stream: «LOGS.a»}]`,
			`subscribe: [{type: nats, uri: {env: NATS_URI}, stream: LOGS, durable: «"my desk"»}]`,
			`subscribe: [{type: nats, uri: {env: NATS_URI}, durable: «desk»}]`,
			`subscribe: [{type: nats, uri: {env: NATS_URI}, stream: LOGS, group: «trays»}]`,
			`subscribe: [{type: nats, uri: {env: NATS_URI}, group: «"my trays"»}]`,
			`subscribe: [{type: nats, uri: {env: NATS_URI}, prefetch: «-1»}]`,
			`subscribe: [{type: nats, uri: {env: NATS_URI}, tls_ca: «/no/such/file»}]`,
		},
		"Source `mqtt`": {
			`subscribe: [{type: mqtt, uri: «{env: SHORT}»}]`,
			`subscribe: [«{type: mqtt}»]`,
			`subscribe: [{type: mqtt, uri: «"mqtt://tray:hush@h/topic"»}]`,
			`subscribe: [{type: mqtt, uri: {env: MQTT_URI}, topics: «["a/#/b"]»}]`,
			`subscribe: [{type: mqtt, uri: {env: MQTT_URI}, topics: «["$share/g/a"]»}]`,
			`subscribe: [{type: mqtt, uri: {env: MQTT_URI}, group: «a/b»}]`,
			`subscribe: [{type: mqtt, uri: {env: MQTT_URI}, prefetch: «65536»}]`,
			`subscribe: [{type: mqtt, uri: {env: MQTT_URI}, session_expiry: «60»}]`,
			`subscribe: [{type: mqtt, uri: {env: MQTT_URI}, tls_ca: «/no/such/file»}]`,
		},
		"Source `nng`": {
			`listen: [{type: nng, uri: «"tcp://0.0.0.0:13232"»}]`,
			`listen: [{type: nng, uri: «"tls+tcp://127.0.0.1:13232"»}]`,
			`listen: [{type: nng, uri: «"tls+tcp://:13232"», tls_cert: "{HOME}/.config/logbook-tray/cert.pem", tls_key: "{HOME}/.config/logbook-tray/key.pem"}]`,
			`listen: [{type: nng, uri: «"tls+tcp://192.168.0.1:13232"», tls_cert: "{HOME}/.config/logbook-tray/cert.pem", tls_key: "{HOME}/.config/logbook-tray/key.pem"}]`,
			`listen: [{type: nng, uris: «["tls+tcp://127.0.0.1:13232", "tcp://192.168.0.1:1"]», tls_cert: "{HOME}/.config/logbook-tray/cert.pem", tls_key: "{HOME}/.config/logbook-tray/key.pem", tls_client_ca: "{HOME}/.config/logbook-tray/ca.pem"}]`,
			`listen: [{type: nng, uri: "tls+tcp://127.0.0.1:13232", tls_cert: «/no/such/file», tls_key: /no/such/key}]`,
			`listen: [{type: nng, uri: "tls+tcp://127.0.0.1:13232", tls_ca: «"{HOME}/.config/logbook-tray/ca.pem"»}]`,
			`subscribe: [{type: nng, uri: "tls+tcp://h:1", mode: pull_dial, tls_client_ca: «"{HOME}/.config/logbook-tray/ca.pem"»}]`,
			`subscribe: [{type: nng, uri: "tcp://h:1", mode: pull_dial, tls_ca: «"{HOME}/.config/logbook-tray/ca.pem"»}]`,
			`subscribe: [{type: nng, uri: "tls+tcp://h:1", mode: pull_dial, tls_ca: «/no/such/file»}]`,
			`listen: [{type: nng, uri: «"127.0.0.1:13232"»}]`,
			`listen: [{type: nng, uris: «["ipc://"]»}]`,
			`listen: [«{type: nng}»]`,
			`subscribe: [{type: nng, uri: «"tcp://h"», mode: sub_dial}]`,
			`subscribe: [{type: nng, uri: "tcp://h:1", mode: «push»}]`,
			`subscribe: [{type: nng, uri: "tcp://h:1", mode: pull_dial, topics: «[a]»}]`,
		},
		"Source `exec`": {
			`subscribe: [{type: exec, arguments: «[no-such-program]»}]`,
			`subscribe: [{type: exec, arguments: «[]»}]`,
		},
		"Source `tail`":    {`subscribe: [{type: tail, path: «/»}]`, `subscribe: [{type: tail, path: /x, level: «loud»}]`},
		"Source `pipe`":    {`subscribe: [{type: pipe, path: «/»}]`},
		"Source `journal`": {`subscribe: [{type: journal, units: «[""]»}]`},

		"Processor `set`":    {`processors: [«{type: set}»]`, `processors: [{type: set, extra: «ci»}]`},
		"Processor `remove`": {`processors: [{type: remove, extra: «cookies»}]`},
		"Processor `redact`": {
			`processors: [{type: redact, fields: [message], pattern: «"("»}]`,
			`processors: [{type: redact, fields: «[password]»}]`,
			`processors: [{type: redact, fields: «[extra.]»}]`,
		},

		"Handler `fingers_crossed`": {
			`handlers: [{type: fingers_crossed, key: «"extra."», handler: {type: stderr}}]`,
			`handlers: [{type: fingers_crossed, max_keys: «-1», handler: {type: stderr}}]`,
			`handlers: [{type: fingers_crossed, handler: {type: «stdrr»}}]`,
			`handlers: [«{type: fingers_crossed}»]`,
		},
		"Handler `group`":  {`handlers: [{type: group, max_records: «-1», handler: {type: stderr}}]`},
		"Handler `memory`": {`handlers: [{type: memory, capacity: «-1», handler: {type: stderr}}]`},
		"Handler `dedup`": {
			`handlers: [{type: dedup, format_string: «"{message}"», handler: {type: stderr}}]`,
			`handlers: [{type: dedup, max_messages: «-1», handler: {type: stderr}}]`,
		},
		"Handler `tagging`":  {`handlers: [{type: tagging, handlers: {a: {type: «fil»}}}]`, `handlers: [{type: tagging, handlers: «{}»}]`},
		"Handler `fan`":      {`handlers: [{type: fan, handlers: [{type: stderr}, {type: stderr, color: «red»}]}]`, `handlers: [{type: fan, handlers: «[]»}]`},
		"Handler `threaded`": {`handlers: [{type: threaded, queue_full: «drop», handler: {type: stderr}}]`},
		"Handler `inhibit`": {
			`handlers: [{type: inhibit, cause: «"chanel == 1"», effect: "true", handler: {type: stderr}}]`,
			`handlers: [{type: inhibit, cause: "true", effect: «'level > "high"'», handler: {type: stderr}}]`,
			`handlers: [{type: inhibit, cause: "true", effect: "false", same: «"extra."», handler: {type: stderr}}]`,
			`handlers: [{type: inhibit, cause: "true", effect: "false", max_causes: «-1», handler: {type: stderr}}]`,
			`handlers: [{type: inhibit, cause: "true", effect: "false", for: «5», handler: {type: stderr}}]`,
			`handlers: [«{type: inhibit, cause: "true", handler: {type: stderr}}»]`,
			`handlers: [{type: inhibit, cause: «""», effect: "true", handler: {type: stderr}}]`,
			`handlers: [«{type: inhibit, cause: "true", effect: "false"}»]`,
		},
		"Handler `group_wait`": {
			`handlers: [{type: group_wait, group_by: «"extra."», handler: {type: stderr}}]`,
			`handlers: [{type: group_wait, max_records: «-1», handler: {type: stderr}}]`,
			`handlers: [{type: group_wait, wait: «10», handler: {type: stderr}}]`,
			`handlers: [«{type: group_wait}»]`,
		},
		"Handler `escalation`": {
			`handlers: [{type: escalation, after: «0», handler: {type: stderr}}]`,
			`handlers: [{type: escalation, after: 10m, filter: '«chanel» == "x"', handler: {type: stderr}}]`,
			`handlers: [{type: escalation, handler: {type: stderr, color: «red»}}]`,
			`handlers: [«{type: escalation}»]`,
		},
		"Handler `null`": {`handlers: [{type: "null", filter: "«chanel» == 'a'"}]`},

		"Handler `stderr`": {
			`handlers: [{type: stderr, color: «sometimes»}]`,
			`handlers: [{type: stderr, format: «xml»}]`,
			`handlers: [{type: stderr, format_string: «"{record.massage}"»}]`,
			`handlers: [{type: stderr, format: json, format_string: «"x"»}]`,
			`handlers: [{type: stderr, format: json, time_zone: «local»}]`,
			`handlers: [{type: stderr, format: «jinja»}]`,
			`handlers: [{type: stderr, format: jinja, format_string: «"{{ record"»}]`,
		},
		"Handler `stdout`":          {`handlers: [{type: stdout, time_zone: «Nowhere»}]`},
		"Handler `file`":            {`handlers: [{type: file, path: «/»}]`, `handlers: [{type: file, path: /x, mode: «r»}]`, `handlers: [«{type: file}»]`},
		"Handler `monitoring_file`": {`handlers: [{type: monitoring_file, path: /x, mode: «r»}]`},
		"Handler `rotating_file`": {
			`handlers: [{type: rotating_file, path: /x, max_size: «big»}]`,
			`handlers: [{type: rotating_file, path: /x, backup_count: «0»}]`,
		},
		"Handler `timed_rotating_file`": {
			`handlers: [{type: timed_rotating_file, path: /x, date_format: «"%Q"»}]`,
			`handlers: [{type: timed_rotating_file, path: /x, rollover_format: «"{basename}"»}]`,
			`handlers: [{type: timed_rotating_file, path: /x, when: «W9»}]`,
			`handlers: [{type: timed_rotating_file, path: /x, when: H, interval: «-2»}]`,
			`handlers: [{type: timed_rotating_file, path: /x, backup_count: «-2»}]`,
		},
		"Handler `compressed_file`": {
			`handlers: [{type: compressed_file, path: /x, compression: «zip»}]`,
			`handlers: [{type: compressed_file, path: /x, compression_quality: «10»}]`,
		},

		"Handler `syslog`": {
			`handlers: [{type: syslog, facility: «local9»}]`,
			`handlers: [{type: syslog, address: h, transport: «quic»}]`,
			`handlers: [{type: syslog, address: h, protocol: «rfc1»}]`,
			`handlers: [{type: syslog, address: h, framing: «octets»}]`,
			`handlers: [{type: syslog, address: h, tls_ca: «/no/such/file»}]`,
			`handlers: [{type: syslog, queue_size: «-1»}]`,
			`handlers: [{type: syslog, address: h, tls_ca: «"{HOME}/.config/logbook-tray/ca.pem"»}]`,
		},
		"Handler `mail`": {
			`handlers: [{type: mail, from_addr: «nobody», recipients: [a@b.c]}]`,
			`handlers: [{type: mail, from_addr: a@b.c, recipients: «[nobody]»}]`,
			`handlers: [{type: mail, from_addr: a@b.c, recipients: [a@b.c], secure: «ssl»}]`,
			`handlers: [{type: mail, from_addr: a@b.c, recipients: [a@b.c], server_addr: «"h:x"»}]`,
			`handlers: [{type: mail, from_addr: a@b.c, recipients: [a@b.c], subject: «"{record.x}"»}]`,
			`handlers: [{type: mail, from_addr: a@b.c, recipients: [a@b.c], format_string: «"From: x\n\ny"»}]`,
			`handlers: [{type: mail, from_addr: a@b.c, recipients: [a@b.c], related_format_string: «"{"»}]`,
			`handlers: [{type: mail, from_addr: a@b.c, recipients: [a@b.c], fingerprint: «"places"»}]`,
			`handlers: [{type: mail, from_addr: a@b.c, recipients: [a@b.c], retries: «-1»}]`,
		},
		"Handler `http`": {
			`handlers: [{type: http, url: «"ftp://h"»}]`,
			`handlers: [{type: http, url: "http://h", method: «PUT»}]`,
			`handlers: [{type: http, url: "http://h", method: «GET», format: json}]`,
			`handlers: [{type: http, url: "http://h", fields: «log»}]`,
			`handlers: [{type: http, url: "http://h", fields: «logging», format: json}]`,
			`handlers: [{type: http, url: "http://h", batch: «-1»}]`,
			`handlers: [{type: http, url: "http://h", batch: «10», format_string: x}]`,
			`handlers: [{type: http, url: "http://h", username: u, token: «{env: SHORT}»}]`,
		},
		"Handler `external`": {
			`handlers: [{type: external, arguments: «[no-such-program]»}]`,
			`handlers: [{type: external, arguments: «[logger, "{record.x}"]»}]`,
			`handlers: [{type: external, arguments: [logger], stdin_format: «"{record.x}"»}]`,
			`handlers: [{type: external, arguments: «[]»}]`,
		},
		"Handler `zeromq`": {
			`handlers: [{type: zeromq, uri: «"tcp://*:5000"»}]`,
			`handlers: [{type: zeromq, uri: "tcp://127.0.0.1:5000", mode: «pull»}]`,
			`handlers: [{type: zeromq, uri: "tcp://127.0.0.1:5000", multi: true, topic: «a»}]`,
		},
		"Handler `socket`": {
			`handlers: [{type: socket, address: «here»}]`,
			`handlers: [{type: socket, address: "h:1", encoding: «yaml»}]`,
			`handlers: [{type: socket, network: «udp», address: "h:1", tls: true}]`,
			`handlers: [{type: socket, address: "h:1", token: «{env: SHORT}»}]`,
			`handlers: [{type: socket, network: udp, address: "127.0.0.1:1", token: {env: SHORT}, encoding: «xml»}]`,
			`handlers: [{type: socket, network: udp, address: "127.0.0.1:1", token: «{env: SHORT}»}]`,
		},
		"Handler `amqp`": {
			`handlers: [{type: amqp, uri: «{env: SHORT}»}]`,
			`handlers: [{type: amqp, uri: «"amqp://tray:hush@h:x"»}]`,
			`handlers: [{type: amqp, uri: {env: AMQP_URI}, window: «-1»}]`,
			`handlers: [{type: amqp, uri: {env: AMQP_URI}, tls_ca: «/no/such/file»}]`,
		},
		"Handler `redis`": {
			`handlers: [{type: redis, uri: «{env: SHORT}»}]`,
			`handlers: [{type: redis, uri: «"redis://tray:hush@h:x"»}]`,
			`handlers: [{type: redis, uri: {env: REDIS_URI}, mode: «consume»}]`,
			`handlers: [{type: redis, uri: {env: REDIS_URI}, mode: stream, max_length: «-1»}]`,
			`handlers: [{type: redis, uri: {env: REDIS_URI}, newest_first: «true»}]`,
			`handlers: [{type: redis, uri: {env: REDIS_URI}, window: «-1»}]`,
			`handlers: [{type: redis, uri: {env: REDIS_URI}, flush_threshold: «-1»}]`,
			`handlers: [{type: redis, uri: {env: REDIS_URI}, flush_time: «1s»}]`,
			`handlers: [{type: redis, uri: {env: REDIS_URI}, flush_threshold: «11», window: 10}]`,
			`handlers: [{type: redis, uri: {env: REDIS_URI}, mode: list, encoding: «pickle»}]`,
			`handlers: [{type: redis, uri: {env: REDIS_URI}, mode: stream, encoding: «short»}]`,
			`handlers: [{type: redis, uri: {env: REDIS_URI}, extra_fields: «{app: shop}»}]`,
		},
		"Handler `mongodb`": {
			`handlers: [{type: mongodb, uri: «{env: SHORT}»}]`,
			`handlers: [{type: mongodb, uri: «"mongodb://tray:hush@h:x/logging"»}]`,
			`handlers: [{type: mongodb, uri: {env: MONGODB_URI}, queue: «logbook-tray.x»}]`,
			`handlers: [{type: mongodb, uri: {env: MONGODB_URI}, window: «-1»}]`,
		},
		"Handler `nats`": {
			`handlers: [{type: nats, uri: «{env: SHORT}»}]`,
			`handlers: [{type: nats, uri: {env: NATS_URI}, subject: «"logs.>"»}]`,
			`handlers: [{type: nats, uri: {env: NATS_URI}, stream: «a.b»}]`,
			`handlers: [{type: nats, uri: {env: NATS_URI}, window: «-1»}]`,
		},
		"Handler `mqtt`": {
			`handlers: [{type: mqtt, uri: «{env: SHORT}»}]`,
			`handlers: [{type: mqtt, uri: «"mqtt://tray:hush@h:x"»}]`,
			`handlers: [{type: mqtt, uri: {env: MQTT_URI}, topic: «"logs/#"»}]`,
			`handlers: [{type: mqtt, uri: {env: MQTT_URI}, window: «-1»}]`,
		},
		"Handler `nng`": {
			`handlers: [{type: nng, uri: «"tcp://*:13232"», mode: pub_listen}]`,
			`handlers: [{type: nng, uri: "tcp://h:1", mode: «sub»}]`,
			`handlers: [{type: nng, uri: "tcp://h:1", topic: «a»}]`,
			`handlers: [«{type: nng}»]`,
		},
		"Handler `pipe`": {
			`handlers: [«{type: pipe}»]`,
			`handlers: [{type: pipe, arguments: «[no-such-program]»}]`,
			`handlers: [{type: pipe, arguments: [kubectl], path: «/x»}]`,
			`handlers: [{type: pipe, path: /x, env: «{A: b}»}]`,
			`handlers: [{type: pipe, path: /x, dir: «/»}]`,
			`handlers: [{type: pipe, path: /x, encoding: «jsn»}]`,
			`handlers: [{type: pipe, path: /x, window: «-1»}]`,
		},
		"Handler `nteventlog`": {`handlers: [{type: nteventlog, application_name: a, event_id: «1001»}]`},

		"Handler `notification`": {
			`handlers: [{type: notification, title: «"{record.x}"»}]`,
			`handlers: [{type: notification, text: «"{"»}]`,
			`handlers: [{type: notification, fingerprint: «"("»}]`,
			`handlers: [{type: notification, queue_size: «-1»}]`,
			`handlers: [{type: notification, group_wait: 5s, group_by: «"extra."»}]`,
			`handlers: [{type: notification, group_by: «channel»}]`,
			`handlers: [{type: notification, sound: «"no such sound"»}]`,
			`handlers: [{type: notification, sound: «/no/such/file.wav»}]`,
			`handlers: [{type: notification, sound: «[bell]»}]`,
			`handlers: [{type: notification, record_delta: «60»}]`,
		},
		"Handler `ntfy`": {
			`handlers: [{type: ntfy, topic: «"a b"»}]`,
			`handlers: [{type: ntfy, url: «"https://h/"»}]`,
			`handlers: [{type: ntfy, url: «"https://h/a%20b"»}]`,
			`handlers: [{type: ntfy, url: «"ftp://h/"», topic: a}]`,
			`handlers: [{type: «ntfy»}]`,
			`handlers: [{type: ntfy, topic: a, token: {env: «NOT_SET»}}]`,
			`handlers: [{type: ntfy, topic: a, actions: «[{label: a}]»}]`,
			`handlers: [{type: ntfy, topic: a, actions: [{«lable»: a, url: "https://h"}]}]`,
		},
		"Handler `gotify`": {`handlers: [{type: gotify, url: «h», token: {env: SHORT}}]`, `handlers: [«{type: gotify, url: "https://h"}»]`},
		"Handler `pushover`": {
			`handlers: [«{type: pushover, token: {env: SHORT}}»]`,
			`handlers: [{type: pushover, token: {env: SHORT}, user: {env: SHORT}, emergency_retry: «5s»}]`,
			`handlers: [{type: pushover, token: {env: SHORT}, user: {env: SHORT}, emergency_expire: «4h»}]`,
			`handlers: [{type: pushover, token: {env: SHORT}, user: {env: SHORT}, emergency_level: «loud»}]`,
			`handlers: [{type: pushover, token: {env: SHORT}, user: {env: SHORT}, url: «h»}]`,
		},
		"Handler `pushbullet`": {
			`handlers: [«{type: pushbullet}»]`,
			`handlers: [{type: pushbullet, token: {env: SHORT}, device: «a», channel: b}]`,
			`handlers: [{type: pushbullet, token: {env: SHORT}, url: «"https://me@h"»}]`,
		},
		"Handler `telegram`": {
			`handlers: [{type: telegram, token: «{env: SHORT}», chat: "1"}]`,
			`handlers: [«{type: telegram, token: "1:abc"}»]`,
			`handlers: [{type: telegram, token: "1:abc", chat: «-100»}]`,
			`handlers: [{type: telegram, token: "1:abc", chat: "1", url: «h»}]`,
		},
		"Handler `matrix`": {
			`handlers: [{type: matrix, url: «h», token: {env: SHORT}, room: "!a:b"}]`,
			`handlers: [{type: matrix, url: "https://h", token: {env: SHORT}, room: «"#a:b"»}]`,
		},
		"Handler `slack`": {
			`handlers: [«{type: slack}»]`,
			`handlers: [{type: slack, webhook: «{env: SHORT}»}]`,
			`handlers: [{type: slack, webhook: "https://h/x", tls_ca: «/no/such/file»}]`,
		},
		"Handler `discord`":    {`handlers: [{type: discord, webhook: «"ftp://h/x"»}]`},
		"Handler `mattermost`": {`handlers: [{type: mattermost, webhook: «"h/x"»}]`},
		"Handler `teams`":      {`handlers: [{type: teams, webhook: «{env: SHORT}»}]`},
		"Handler `webhook`": {
			`handlers: [{type: webhook, url: «{env: SHORT}»}]`,
			`handlers: [{type: webhook, url: "https://h/x", method: «GET»}]`,
			`handlers: [{type: webhook, url: "https://h/x", headers: «{"a b": c}»}]`,
			`handlers: [{type: webhook, url: "https://h/x", headers: «{a: "b\nc"}»}]`,
			`handlers: [{type: webhook, url: "https://h/x", template: «"{{.Titel}}"»}]`,
			`handlers: [{type: webhook, url: "https://h/x", template: «'"{{.Title}}"'»}]`,
			`handlers: [{type: webhook, url: "https://h/x", context: «-1»}]`,
		},
		"Handler `twitter`": {
			`handlers: [«{type: twitter, consumer_key: a, consumer_secret: b, token: c}»]`,
			`handlers: [{type: twitter, consumer_key: a, consumer_secret: b, token: c, token_secret: d, url: «h»}]`,
		},
		"Handler `speech`": {`handlers: [{type: speech, rate: «20»}]`, `handlers: [{type: speech, voice: «"--help"»}]`},
		"Handler `sound`": {
			`handlers: [{type: sound, error: «/no/such/file.wav»}]`,
			`handlers: [{type: sound, warning: «"{HOME}/.config/logbook-tray/token"»}]`,
			`handlers: [{type: sound, burst: «10»}]`,
		},
		"Handler `external_notification`": {`handlers: [{type: external_notification, arguments: «[no-such-program]»}]`, `handlers: [{type: external_notification, arguments: [logger], stdin_format: «"{"»}]`},
		"Handler `growl`": {
			`handlers: [{type: growl, address: «here»}]`,
			`handlers: [{type: growl, encrypt: «true»}]`,
			`handlers: [{type: growl, icon: «/»}]`,
		},
		"Handler `boxcar`": {`handlers: [{type: boxcar, url: «h», email: a@b.c, password: {env: SHORT}}]`},
		"Handler `notifo`": {`handlers: [{type: notifo, url: «h», username: a, secret: {env: SHORT}}]`},
	}
}

func TestKindsPointAtMistakes(t *testing.T) {
	dir := home(t)
	t.Setenv("SHORT", "abc")
	t.Setenv("CURVE", strings.Repeat("0", 40))
	t.Setenv("AMQP_URI", "amqp://localhost")
	t.Setenv("REDIS_URI", "redis://localhost")
	t.Setenv("MONGODB_URI", "mongodb://localhost/logging")
	t.Setenv("NATS_URI", "nats://localhost")
	t.Setenv("MQTT_URI", "mqtt://localhost")
	all := mistakes()
	for _, k := range allKinds() {
		if len(all[k.heading]) == 0 {
			t.Errorf("%s: no example of a mistake", k.heading)
		}
		for _, marked := range all[k.heading] {
			marked = strings.ReplaceAll(marked, "{HOME}", dir)
			before, _, _ := strings.Cut(marked, "«")
			_, ds := check(t, strings.NewReplacer("«", "", "»", "").Replace(marked))
			if errs := ds.Errors(); len(errs) != 1 {
				t.Errorf("%s\nwant one mistake, have %d: %v", marked, len(errs), errs)
			} else if want := len([]rune(before)) + 1; errs[0].Line != 1 || errs[0].Column != want {
				t.Errorf("%s\nwant a mistake in column %d, have %s", marked, want, errs[0])
			} else if strings.Contains(errs[0].Message, "hush") {
				t.Errorf("there is a password in %s", errs[0].Message)
			}
		}
		delete(all, k.heading)
	}
	for heading := range all {
		t.Errorf("there is no %s", heading)
	}
}

func TestEverySourceCanBeToldWhatItsSendersSpeak(t *testing.T) {
	home(t)
	for _, e := range documentation(t) {
		name, ok := strings.CutPrefix(e.heading, "Source `")
		if !ok {
			continue
		}
		typed := "type: " + strings.TrimSuffix(name, "`") // the first one of the example
		before, after, ok := strings.Cut(e.source, typed)
		if !ok {
			t.Fatalf("%s: no %q in\n%s", e.heading, typed, e.source)
		}
		block := "\n    "
		if strings.HasPrefix(after, ",") || strings.HasPrefix(after, "}") {
			block = ", "
		}
		for option, want := range map[string]string{
			"dialect: pino":            "",
			"map: {level: sev}":        "",
			"dialect: pinot":           `unknown value "pinot", did you mean "pino"?`,
			"map: {severity: sev}":     `no field "severity" to map "sev" to`,
			"map: {level: s, time: s}": `"s" cannot be mapped to two fields`,
		} {
			_, ds := check(t, before+typed+block+option+after)
			switch {
			case want == "" && len(ds) > 0:
				t.Errorf("%s: %s: %v", e.heading, option, ds)
			case want != "" && (len(ds) != 1 || !strings.Contains(ds[0].Message, want)):
				t.Errorf("%s: %s: %v, want %s", e.heading, option, ds, want)
			}
		}
	}
}

func TestKindsShowTheirOwnMistakesAndThoseInside(t *testing.T) {
	for _, source := range []string{
		`handlers: [{type: fingers_crossed, max_keys: -1, handler: {type: stderr, color: red}}]`,
		`handlers: [{type: group, max_records: -1, handler: {type: stderr, color: red}}]`,
		`handlers: [{type: memory, capacity: -1, handler: {type: stderr, color: red}}]`,
		`handlers: [{type: dedup, max_messages: -1, handler: {type: stderr, color: red}}]`,
		`handlers: [{type: threaded, queue_size: -1, handler: {type: stderr, color: red}}]`,
		`handlers: [{type: group, max_records: -1}]`,
		`handlers: [{type: inhibit, cause: "(", effect: "true", handler: {type: stderr, color: red}}]`,
		`handlers: [{type: group_wait, max_records: -1, handler: {type: stderr, color: red}}]`,
		`handlers: [{type: escalation, after: 0, handler: {type: stderr, color: red}}]`,
	} {
		if _, ds := check(t, source); len(ds) != 2 {
			t.Errorf("%s: want two mistakes, have %v", source, []config.Diagnostic(ds))
		}
	}
}
