// Package mqtt moves records through an MQTT 5 broker.
//
// A [Receiver] has a session that outlives its connections: what is published with QoS 1
// while it is away comes in later, as long as the broker keeps it. Each message is
// acknowledged when its record was dispatched, and marked when it has come before. A
// [Sender] publishes with QoS 1 and publishes again what the broker has not confirmed.
//
// What others publish with QoS 0 comes in while the receiver is connected, and is dropped
// by the broker when the receiver does not keep up. Retained messages are not asked for:
// a record is an event, and one that stays at its topic would come again with each start.
//
// The client of the library speaks the protocol. Connecting again is up to us, as with the
// other brokers, so that what is published again comes before what is new; and so are
// acknowledgements, which the library would look for 20 times a second.
package mqtt
