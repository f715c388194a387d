// Package handler has the handlers of Logbook and of Python's logging.handlers
// that need nothing but the standard library: streams, files and their rotation,
// buffers that wait for something to go wrong, tags, external programs, HTTP.
// Handlers with more to them are packages of their own below this one: handler/mail,
// handler/syslog, handler/eventlog, handler/riemann, handler/brotli. Limiting is the package core/limit,
// asynchronous delivery is core/queue.
//
// A handler here only delivers. Which records it gets, and whether they go on to
// the next one, is said where it is bound, with a [core.Binding].
//
// Every handler is safe for concurrent use, formats a record before it takes a
// lock (so that an argument that logs while it is formatted cannot deadlock),
// can be closed twice, and returns its errors.
package handler
