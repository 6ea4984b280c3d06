# SPDX-License-Identifier: Apache-2.0
"""What sits on top: reports, conversion of published weights, comparison with reference values."""
