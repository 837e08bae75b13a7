// SPDX-License-Identifier: LGPL-2.1-or-later

// The peer in Go: go-peer goroutines N. Prints the nanoseconds of one no-op goroutine,
// started and waited for, after an untimed round of the same size.
package main

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"sync"
	"time"
)

func goroutines(n int) time.Duration {
	var group sync.WaitGroup

	start := time.Now()
	for i := 0; i < n; i++ {
		group.Add(1)
		go func() { group.Done() }()
	}
	group.Wait()
	return time.Since(start)
}

func main() {
	if len(os.Args) != 3 || os.Args[1] != "goroutines" {
		fmt.Fprintln(os.Stderr, "Usage: go-peer goroutines N")
		os.Exit(2)
	}
	n, err := strconv.Atoi(os.Args[2])
	if err != nil || n < 1 {
		fmt.Fprintln(os.Stderr, "N must be a positive number")
		os.Exit(2)
	}

	runtime.GOMAXPROCS(2)
	goroutines(n)
	fmt.Printf("ns=%.2f\n", float64(goroutines(n).Nanoseconds())/float64(n))
}
