// Package amqp moves records through RabbitMQ, or another broker that speaks AMQP 0-9-1,
// as Logbook's MessageQueueHandler and MessageQueueSubscriber do by means of kombu.
//
// By default a [Receiver] taps: it binds a queue of its own to the exchange, so that
// it takes nothing away from others who read. What is published while it is not
// connected it does not get. With Consume it reads the durable queue itself, competing
// with others; what is not acknowledged comes again, marked as redelivered.
//
// A [Sender] keeps what the broker has not confirmed, and publishes it again after
// the connection was lost, marked by a header.
package amqp
