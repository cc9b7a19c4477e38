/* The program's version: --version tells it, and a run records it. */
#pragma once
#define PGWINNOW_VERSION "0.1.0"
