"""Visits to a counter, composed from portraits and sentences: who shows and says what, pictures, sound.

Importable parts of ``benchmarks/shop_visits.py``; nothing here measures or judges. A visit's kind is its truth.
"""
