// Package quorum decides when enough owners have answered a request.
package quorum
