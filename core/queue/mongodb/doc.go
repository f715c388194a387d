// Package mongodb moves records through MongoDB as Logbook's MessageQueueHandler does by
// means of kombu, which keeps its queues in collections: "messages" has a document for each
// message in each queue, and "messages.routing" says which queues a producer puts a
// message into. Producers look that up each time that they publish.
//
// A [Receiver] has a queue of its own. By default it is a tap: bound beside kombu's queue, so
// that producers put a copy of everything into it, bounded, and removed by Close. One that
// consumes moves messages out of kombu's queue into its own instead, competing with others;
// what it has not dispatched Close puts back.
//
// A message stays in that queue until it was dispatched. Nothing is lost when the server
// ends, or the connection. When this program ends without Close, the messages that a tap
// has not dispatched go with it, since nobody knows its queue; those of a receiver that
// consumes come again, marked with [queue.Redelivered], once another receiver or a later one
// finds that it does not renew its lease any more. This is more than kombu's consumer
// does, which takes a message away before it looks at it. The queues that were left are
// removed likewise; the server itself unbinds a tap that was left, within two minutes,
// and until then producers fill its queue. Kombu's queue itself grows for as long as nobody
// consumes: no one bounds it.
//
// A queue is polled, at once while messages come and then at growing intervals: a server that
// stands alone has no other way.
package mongodb
