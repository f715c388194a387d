// Package services starts the real brokers of Debian for tests: RabbitMQ, Redis, NATS,
// Mosquitto and rsyslog, on loopback, on free ports, with all they keep in a temporary directory. Nothing of it
// touches the brokers of the system, and nothing is left when the tests are over.
//
// All but RabbitMQ start within milliseconds and are started for each test that wants one:
//
//	broker := services.StartRedis(t)
//
// So are NATS, Mosquitto, rsyslog and FerretDB, which stands for MongoDB and is built from
// packaging/ferretdb first.
//
// RabbitMQ takes seconds and is started once for all tests of a package, by the
// first that asks for it:
//
//	var shared services.Shared
//
//	func TestMain(m *testing.M) { goleak.VerifyTestMain(shared.Main(m)) }
//
//	broker := shared.RabbitMQ(t)
//
// The brokers are the packages of "packaging/setup test"; on systems other than Linux
// the test is skipped. For use by hand there are the programs start and stop
// beside this package, and "make services".
package services
