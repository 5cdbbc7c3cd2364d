// Command promql evaluates queries as Prometheus does, against metrics as a target shows them.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/textparse"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb"
)

// question is asked on standard input.
type question struct {
	// Metrics is what the target shows, as OpenMetrics; it has shown the same for a while.
	Metrics string `json:"metrics"`
	// Queries are evaluated one by one.
	Queries []string `json:"queries"`
}

// answer is what becomes of a query.
type answer struct {
	Query string `json:"query"`
	// Error is why it cannot be evaluated.
	Error string `json:"error,omitempty"`
	// Series is how many series it results in.
	Series int `json:"series"`
	// Empty are its selectors that find nothing by name and kinds of labels.
	Empty []string `json:"empty,omitempty"`
}

const (
	// interval is how often the target is read.
	interval = 30 * time.Second
	// history is longer than any query looks back.
	history = 2 * time.Hour
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "promql:", err)
		os.Exit(1)
	}
}

func run() error {
	var asked question
	if err := json.NewDecoder(os.Stdin).Decode(&asked); err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "promql-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	options := tsdb.DefaultHeadOptions()
	options.ChunkDirRoot = dir
	head, err := tsdb.NewHead(nil, nil, nil, nil, options, nil)
	if err != nil {
		return err
	}
	defer head.Close()
	now := time.Now()
	if err := scrape(head, []byte(asked.Metrics), now); err != nil {
		return err
	}
	queryable := storage.QueryableFunc(func(mint, maxt int64) (storage.Querier, error) {
		return tsdb.NewBlockQuerier(tsdb.NewRangeHead(head, mint, maxt), mint, maxt)
	})
	engine := promql.NewEngine(promql.EngineOpts{MaxSamples: 10_000_000, Timeout: time.Minute})
	answers := make([]answer, 0, len(asked.Queries))
	for _, query := range asked.Queries {
		answers = append(answers, judge(engine, queryable, query, now))
	}
	return json.NewEncoder(os.Stdout).Encode(answers)
}

// scrape reads the same metrics again and again up to now.
func scrape(head *tsdb.Head, metrics []byte, now time.Time) error {
	for at := now.Add(-history); !at.After(now); at = at.Add(interval) {
		parsed := textparse.NewOpenMetricsParser(metrics, labels.NewSymbolTable())
		appender := head.Appender(context.Background())
		for {
			entry, err := parsed.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				return err
			}
			if entry != textparse.EntrySeries {
				continue
			}
			_, _, value := parsed.Series()
			var series labels.Labels
			parsed.Labels(&series)
			// What Prometheus itself adds.
			series = labels.NewBuilder(series).Set("job", "proxmox-identity").Set("namespace", "proxmox-identity").Labels()
			if _, err := appender.Append(0, series, at.UnixMilli(), value); err != nil {
				return err
			}
		}
		if err := appender.Commit(); err != nil {
			return err
		}
	}
	return nil
}

func judge(engine *promql.Engine, from storage.Queryable, query string, now time.Time) answer {
	result := answer{Query: query}
	expression, err := parser.ParseExpr(query)
	if err != nil {
		result.Error = err.Error()
		return result
	}
	if result.Series, err = evaluate(engine, from, query, now); err != nil {
		result.Error = err.Error()
		return result
	}
	parser.Inspect(expression, func(node parser.Node, _ []parser.Node) error {
		selector, is := node.(*parser.VectorSelector)
		if !is {
			return nil
		}
		found, err := evaluate(engine, from, presence(selector), now)
		if err != nil {
			return err
		}
		if found == 0 {
			result.Empty = append(result.Empty, selector.String())
		}
		return nil
	})
	return result
}

// presence selects what has the metric's name and the labels that are asked for, whatever their values.
func presence(selector *parser.VectorSelector) string {
	wanted := &parser.VectorSelector{Name: selector.Name}
	for _, matcher := range selector.LabelMatchers {
		if matcher.Name == labels.MetricName {
			wanted.LabelMatchers = append(wanted.LabelMatchers, matcher)
		} else {
			wanted.LabelMatchers = append(wanted.LabelMatchers, labels.MustNewMatcher(labels.MatchNotEqual, matcher.Name, ""))
		}
	}
	return wanted.String()
}

func evaluate(engine *promql.Engine, from storage.Queryable, query string, now time.Time) (int, error) {
	prepared, err := engine.NewInstantQuery(context.Background(), from, nil, query, now)
	if err != nil {
		return 0, err
	}
	defer prepared.Close()
	result := prepared.Exec(context.Background())
	if result.Err != nil {
		return 0, result.Err
	}
	switch value := result.Value.(type) {
	case promql.Vector:
		return len(value), nil
	case promql.Matrix:
		return len(value), nil
	default:
		return 1, nil
	}
}
