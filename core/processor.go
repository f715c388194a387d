package core

// Processor adds to or changes a record before the handlers see it, for
// example the address of the request that is being served. It is a [Setup].
// Processors run once for each record that somebody is going to handle, from
// the top of the stack down, after the processor of the logger's group; a
// record that no one wants costs nothing.
//
// A processor may be called concurrently for different records.
type Processor func(r *Record)
