"""What was measured, for people: figures by period and slice, and exports of the rows behind them."""
