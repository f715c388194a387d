// Package dialect makes records of the JSON objects that logging libraries other
// than Python's write. It recognizes the library of each object by its keys; the
// rows of its one table say which, and what its keys mean.
package dialect
