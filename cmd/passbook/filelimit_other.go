//go:build !unix

package main

func limitIsAnError() {}
