// Package sound plays a short sound for each burst of notifications: one for
// warnings, one for errors, one for what is critical. It plays WAV files through a
// program that the system has, or on Windows through the system itself.
package sound
