// Package pipe receives records from what is on this computer: the output of a program
// ([NewCommand]), an open file such as standard input ([NewReader]), a log file that grows
// and is rotated ([NewTail]), and the journal of systemd ([NewJournal]).
//
// Lines that are JSON are decoded; a traceback of Python, Go, Java or Node is one record, with
// the line before it where it belongs to that.
// Streams that start with a NUL hold pickles, JSON or the serialization of execnet behind
// their length, as multiprocessing and SocketHandler send them.
//
// The other end: [NewSender] writes records to an open pipe, such as the standard output that
// leads to a parent; [NewProgramSender] runs a program and writes to its standard input; and
// [NewNamedSender] writes to a named pipe. Together they are Logbook's MultiProcessingHandler
// and MultiProcessingSubscriber between any two of Go and Python. Of execnet's
// channels the values are read; its gateways, which run Python at the other end, are left
// to execnet: a program of Python passes on what comes out of a channel.
package pipe
