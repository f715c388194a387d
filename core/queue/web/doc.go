// Package web receives records over HTTP: what the HTTPHandler of Python's logging sends
// (forms, with GET or POST), and JSON, one record, an array or one a line, from
// anything else:
//
//	curl -d '{"level": "error", "message": "no tea"}' http://127.0.0.1:9022/records
//
// A browser that some web page has taken over can also reach this computer. Requests
// that say that they come from a page elsewhere, or that reach us under a name that
// is not ours, are refused.
package web
