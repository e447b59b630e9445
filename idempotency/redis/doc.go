// Package redis keeps idempotency records in Redis, by way of go-redis.
package redis
