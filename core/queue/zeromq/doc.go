// Package zeromq moves records over ZeroMQ, in the four ways of Logbook's
// ZeroMQHandler and ZeroMQSubscriber: a [Receiver] subscribes to publishers (SUB)
// or lets senders connect to it (PULL), a [Sender] publishes (PUB) or pushes to a
// receiver (PUSH).
//
// With PUSH and PULL nothing is lost while both ends run: a receiver that is
// slow makes the senders wait. With PUB and SUB what does not fit into the
// queues is lost at the publisher, which nobody can see from here; that is why
// the queues of this package are long.
//
// One goroutine owns a socket of libzmq, from its first use until it is closed;
// libzmq ends the process otherwise.
package zeromq
