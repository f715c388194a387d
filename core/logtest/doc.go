// Package logtest helps to test programs that log and handlers that deliver:
// [TestHandler] collects records and answers questions about them;
// [TestHandlerConformance] and [TestHandlerFailure] check that a handler keeps the
// rules that core relies on.
package logtest
