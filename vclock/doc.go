// Package vclock implements version vectors.
package vclock
