// Package wire turns bytes into records and back: the JSON records of Logbook since
// 0.4, the dictionaries of Python's logging package, and what other
// libraries write. Nothing that comes over the wire is executed, and every size is
// bounded.
package wire
