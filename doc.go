// Package pairdb is a Dynamo-style, multi-tenant, replicated key-value store whose coordinator runs in your process.
package pairdb
