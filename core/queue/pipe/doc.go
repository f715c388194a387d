// Package pipe receives records from what is on this computer: the output of a program
// ([NewCommand]), an open file such as standard input ([NewReader]), a log file that grows
// and is rotated ([NewTail]), and the journal of systemd ([NewJournal]).
//
// Lines that are JSON are decoded; a traceback of Python is joined to the line before it.
// Streams that start with a NUL hold pickles or JSON behind their length, as
// multiprocessing and SocketHandler send them.
package pipe
