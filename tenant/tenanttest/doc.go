// Package tenanttest holds the conformance suite of package tenant's interfaces:
// every implementation, of this module or a user's own, calls it in one line.
package tenanttest
