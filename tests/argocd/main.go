// Argo CD's own judgement, for the tests: the code that its controller runs, without the controller.
//
// The only argument says what to do, standard input has what to do it with as JSON, and standard output gets the answer as
// JSON. What works on a cluster takes it from KUBECONFIG.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"

	"github.com/sirupsen/logrus"
)

func main() {
	logrus.SetOutput(io.Discard)
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run() error {
	if len(os.Args) != 2 {
		return fmt.Errorf("one argument is needed: health, applications or sync")
	}
	switch os.Args[1] {
	case "health":
		return answer(assess)
	case "applications":
		return answer(judge)
	case "sync":
		return answer(synchronize)
	}
	return fmt.Errorf("%s is nothing that can be done here", os.Args[1])
}

// answer reads a question, and writes what is answered.
func answer[Q, A any](do func(Q) (A, error)) error {
	var question Q
	decoder := json.NewDecoder(os.Stdin)
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&question); err != nil {
		return fmt.Errorf("the question: %w", err)
	}
	said, err := do(question)
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(said)
}
