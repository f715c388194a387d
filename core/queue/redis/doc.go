// Package redis moves records through Redis: as Logbook's MessageQueueHandler does by
// means of kombu, as Logbook's RedisHandler does, and through streams.
//
// By default a [Receiver] taps kombu's queue: it has producers put a copy of everything
// into a list of its own, which is bounded, and unbound on Close. A tap that was killed
// is unbound by the next one that starts, or by another that runs; until then its list
// grows.
//
// Only [Stream] has acknowledgements. Of the other modes a record is lost that was taken
// from Redis when this program ends before it is dispatched.
package redis
