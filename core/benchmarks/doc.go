// Package benchmarks compares core with slog, zerolog and zap: a log call that
// no one wants, and a line of JSON with its place in the source. It is a module of
// its own, so that core does not depend on the others. Run it with
//
//	go test -bench . -count 5
//
// in this directory, and compare numbers of one run only. python_logbook.py asks Python's
// Logbook the same.
package benchmarks
