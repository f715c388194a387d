// Package limit keeps repeated records from flooding whoever reads them. A
// [Fingerprint] says which records are the same error; a [Limiter] lets the
// first of them through at once, counts the repeats, and hands the count over
// when the window of time ends. No count is ever lost.
//
// [Delivery] is the simpler check_delivery of Logbook, for handlers that
// have nothing to update.
package limit
