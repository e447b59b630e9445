package tenant

import "context"

// A Reader tells how a tenant is replicated. It is the one thing that a
// coordinator needs to know of tenants.
//
// Who calls: the client, once at the start of each request, on the goroutine
// of the request; any number of goroutines at once. It is on the hot path: a Reader
// answers from memory for the tenants that it has at hand, without blocking, whatever
// the state of ctx. One that has to ask elsewhere does so for tenants that it has
// not met, and ends when ctx does.
//
// The answer is the caller's own copy, passes Config.Validate, and is for the id
// that was asked for. Two answers for one id differ in neither Replicas nor Policy.
//
// Errors:
//   - ErrInvalid: id cannot name a tenant (see ValidID). Final.
//   - ErrNotFound: there is no such tenant. Final for this request; a later
//     one asks again.
//   - ctx's error, if ctx ended first.
//   - Any other error says that the Reader could not find out. The request
//     fails before anything is sent, and may be repeated.
//
// tenanttest.RunReader checks the contract.
type Reader interface {
	Get(ctx context.Context, id string) (Config, error)
}

// An Immediate reader has every tenant at hand, so that its Get never waits for anything:
// a client spares itself the deadline that it sets for others.
type Immediate interface {
	Reader
	// Immediate does nothing.
	Immediate()
}
