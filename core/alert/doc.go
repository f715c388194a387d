// Package alert keeps what the user was, or would have been, notified about: each
// alert with the record that caused it, the records that led up to it, and the
// count of its repeats. A [List] is bounded and tells its readers when it
// changes.
package alert
