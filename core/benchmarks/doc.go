// Package benchmarks compares core with slog, zerolog and zap: a log call that
// no one wants, and a line of JSON with its place in the source. It is a module of
// its own, so that core does not depend on the others. Run it with
//
//	go test -bench . -count 5
//
// in this directory, and compare numbers of one run only. python_logbook.py asks Python's
// Logbook the same.
//
// The bounds are: a call that no one wants costs at most twice slog's and allocates
// nothing; a line of JSON costs at most one and a half times slog's. The least of 8 runs
// on a Xeon with two cores, shared with others, in nanoseconds:
//
//	            core    slog  zerolog   zap  Logbook 1.5.3
//	unwanted     7.6     4.7      4.7    49           1900
//	JSON line   1360    1400      820   910          26700
//	text line    770       -        -     -           7700
package benchmarks
