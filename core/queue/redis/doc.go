// Package redis moves records through Redis: as Logbook's MessageQueueHandler does by
// means of kombu, as Logbook's RedisHandler does, and through streams. It needs Redis 6.2.
//
// By default a [Receiver] taps kombu's queue: it has producers put a copy of everything
// into a list of its own, which is bounded, and unbound on Close. A tap that was killed
// is unbound by the next one that starts, or by another that runs; until then its list
// grows.
//
// What a receiver takes from a list Redis keeps in another until it is dispatched, so that
// neither a crash of Redis nor one of this program loses it: the next receiver of the
// same queue gets it, marked as redelivered. A stream has the acknowledgements of its
// group for that; what one of the group has left, because it has died, the others claim. A
// [Channel] has nothing of the kind.
//
// The keys of the package's own begin with "logbook-tray.": a user of an ACL must be
// allowed those, and what is kombu's ("_kombu.binding.QUEUE"), besides the queue.
package redis
