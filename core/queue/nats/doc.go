// Package nats moves records through a NATS server.
//
// With a stream of JetStream nothing is lost: a [Receiver] is a durable consumer that
// acknowledges what was dispatched, gets what came in while it was away, and marks what
// it has got before; a [Sender] publishes again what the server has not confirmed, and the
// server drops what it has stored already.
//
// Without a stream a receiver gets what is published while it is connected, as any
// subscriber of NATS does, or with a group its part of that.
package nats
