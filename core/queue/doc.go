// Package queue moves records between processes: a [Subscriber] receives them
// from a transport and dispatches them to the handlers on the stack, a
// [Handler] publishes them, and [Async] delivers them behind a bounded queue, so
// that a slow handler delays nobody. The names are those of Logbook's queues.
//
// The transports live in folders of their own (zeromq, socket, ...), each with
// a [Receiver], a [Sender] or both. Package queue itself knows none of them.
//
// What happens to a record is counted, always: for a subscriber every message
// received is in the end rejected, dispatched or still held; for Async every
// record offered is delivered, failed, dropped or still queued.
package queue
