// Package logtest helps to test programs that log and handlers that deliver:
// [TestHandler] collects records and answers questions about them.
package logtest
