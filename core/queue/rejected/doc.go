// Package rejected keeps messages that came in and are no record, for those who want to
// know what was in them: on disk, the newest of them, bounded in number and size. What is
// kept can be decoded again when the rules are other ones.
//
// Each message is a file of its own in one directory: a line of JSON that says what is known
// about it, and behind that its bytes. So a disk that gets full, or a program that is killed,
// costs the last one at most, and every program of the same user can read them.
package rejected
