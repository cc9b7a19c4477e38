#!/bin/bash
exec "${PGW_TESTS:-$(dirname "$0")/../../build/tests}/db/test_tree"
