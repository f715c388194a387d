// Package bridge connects core with the other ways to log in Go: [Slog] is a
// slog.Handler whose records go to Logbook's handlers, [ToSlog] is a handler that
// passes records on to slog, [RedirectLog] sends the standard log package to Logbook,
// and [Writer] turns the lines that a program writes into records. It is Logbook's
// compat module. The API of logr is the package bridge/logr.
//
// Do not connect both directions with each other: a record would go round for
// ever.
package bridge
