// Package core is Logbook's record system for Go: records, loggers, the stack of
// handlers, processors and flags. It imports the standard library only.
package core
